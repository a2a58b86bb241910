"""Checks whether the video service can hear narrations, as NARRATION_MODE=guide asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.backends.capabilities import SoundForm
from bot.commands.checks.findings import Finding
from bot.runtime.parts.hearing import hearing_service, sound_forms_of

if TYPE_CHECKING:
    from bot.settings.fields import Settings

_SUBJECT = "narrations"
_ADVICE = {
    "openai": "if you use vLLM-Omni with MiniMax H3, set OPENAI_AUDIO_REFERENCE=on; otherwise, set "
    "NARRATION_MODE=overlay",
    "openrouter": "set VIDEO_MODEL to a model that accepts audio without a picture, such as "
    "Seedance 2.5, or set NARRATION_MODE=overlay",
}


def examine_hearing(settings: Settings) -> Finding:
    """Report who hears narrations. The check fails if no narration can be sent with its order."""
    service = hearing_service(settings)
    if service is None:
        return Finding(subject=_SUBJECT, ok=True, found="not sent to the video service")
    forms = sound_forms_of(settings)
    if not forms:
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found="only laid over the video: the service or the model doesn't accept audio",
            advice=_ADVICE.get(settings.video_backend, "set NARRATION_MODE=overlay"),
        )
    if SoundForm.DATA_URL not in forms and not settings.public_url.startswith("https://"):
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found="only laid over the video: the service only accepts https links, and the bot "
            "has no https address",
            advice="set PUBLIC_URL to the bot's https address",
        )
    asked = "in your network" if service.is_inside else "outside: people are asked once"
    return Finding(subject=_SUBJECT, ok=True, found=f"heard by {service.host}, {asked}")
