"""Builds the components that let a video service hear narrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.jobs.guiding.guide import VoiceGuide
from bot.jobs.guiding.sounds import NarrationSounds
from bot.runtime.parts.keeping import make_links

if TYPE_CHECKING:
    from bot.runtime.engine import Engine


def make_voice_guide(engine: Engine) -> VoiceGuide:
    """Return the component that prepares the sounds of create requests. None goes along yet."""

    async def restore(job_id: str) -> None:
        await engine.editor.ingest_kept(job_id, of=job_id)

    return VoiceGuide(
        engine.backend,
        NarrationSounds(engine.resources.ffmpeg, engine.workspace, restore),
        make_links(engine.resources),
        service=None,
    )
