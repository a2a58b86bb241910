"""Builds the component that reads texts aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.media.process.ffmpeg import Ffmpeg
from bot.speech.narrator import Narrator
from storage.speeches import SpeechCaps, SpeechStore

if TYPE_CHECKING:
    from bot.runtime.engine import Engine
    from bot.speech.kept_speeches import KeptSpeeches
    from bot.speech.voices import Voices


def make_narrator(engine: Engine, voices: Voices, kept: KeptSpeeches) -> Narrator:
    """Return the component that reads texts aloud."""
    settings = engine.resources.settings
    return Narrator(
        voices,
        # Narrations may cost money, so they have their own ffmpeg slot and never wait for a render.
        Ffmpeg(engine.resources.ffmpeg_path, slots=1),
        engine.workspace,
        SpeechStore(engine.resources.database),
        engine.budgeting,
        kept=kept,
        caps=SpeechCaps(
            per_user=settings.max_narrations_per_user, per_day=settings.max_narrations_per_day
        ),
        blocked=engine.blocked,
        gate=engine.gate,
        moderator=engine.moderator,
        max_seconds=settings.max_audio_seconds,
        clock=engine.resources.clock,
    )
