"""Reads the settings that say which video service gets narrations, and in which form."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.backends.capabilities import SoundForm
from bot.backends.openrouter.hearing import hears_sound
from bot.backends.transport.local_network import is_local
from bot.jobs.guiding.permissions import HearingService

if TYPE_CHECKING:
    from bot.settings.fields import Settings


def sound_forms_of(settings: Settings) -> tuple[SoundForm, ...]:
    """Return the forms in which the service and the model accept audio, the best one first."""
    match settings.video_backend:
        case "openai" if settings.openai_audio_reference == "on":
            return (SoundForm.DATA_URL, SoundForm.LINK)
        case "openrouter" if hears_sound(settings.model):
            return (SoundForm.LINK,)
        case _:
            return ()


def hearing_service(settings: Settings) -> HearingService | None:
    """Return the service that may get narrations, or None if narrations are not sent."""
    if settings.narration_mode != "guide":
        return None
    url = _address_of(settings)
    host = urlsplit(url).netloc.rpartition("@")[2]
    return HearingService(
        host=host, label=settings.video_label or host, is_inside=not url or is_local(url)
    )


def _address_of(settings: Settings) -> str:
    match settings.video_backend:
        case "openai":
            return settings.openai_base_url
        case "openrouter":
            return settings.openrouter_base_url
        case "gemini":
            return settings.gemini_base_url
        case "storyboard":
            return ""
