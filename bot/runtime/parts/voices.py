"""Builds the components that let a video service hear narrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.jobs.guiding.guide import VoiceGuide
from bot.jobs.guiding.permissions import VoicePermissions
from bot.jobs.guiding.sounds import NarrationSounds
from bot.runtime.parts.hearing import hearing_service
from bot.runtime.parts.keeping import make_links
from storage.access.voice_consents import VoiceConsentStore

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.runtime.engine import Engine
    from bot.runtime.resources import Resources


def make_voice_permissions(resources: Resources, backend: VideoBackend) -> VoicePermissions:
    """Return the component that decides whether a narration may be sent with its order."""
    return VoicePermissions(
        VoiceConsentStore(resources.database),
        backend,
        service=hearing_service(resources.settings),
        clock=resources.clock,
    )


def make_voice_sounds(engine: Engine) -> NarrationSounds:
    """Return the component that encodes narrations for the video service."""

    async def restore(job_id: str) -> None:
        await engine.editor.ingest_kept(job_id, of=job_id)

    return NarrationSounds(engine.resources.ffmpeg, engine.workspace, restore)


def make_voice_guide(engine: Engine) -> VoiceGuide:
    """Return the component that prepares the sounds of create requests."""
    service = engine.voice_permissions.service
    return VoiceGuide(
        engine.backend,
        make_voice_sounds(engine),
        make_links(engine.resources),
        engine.voice_permissions,
        service=service.host if service else None,
    )
