"""Checks the voice by having it read one word aloud."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding
from bot.errors import ClapperError, StartupError, UserError
from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.runtime.adapters import open_voices
from bot.speech.mp3 import write_mp3

if TYPE_CHECKING:
    from bot.media.narration.ingest import Narration
    from bot.settings.fields import Settings
    from bot.speech.voice import Voice

_SUBJECT = "NARRATION_BACKEND"
_WORD = "Hello."
_MAX_SECONDS = 30
_OFF = "off: narrations must be audio files; text is not read aloud"
_ADVICE = {
    "speech.refused": "correct NARRATION_API_KEY, NARRATION_MODEL or NARRATION_VOICE",
    "speech.unavailable": "start that server, try again later, or correct NARRATION_BASE_URL",
    "speech.unsure": "NARRATION_BASE_URL usually ends with /v1; check that server's log",
    "speech.unusable": "NARRATION_BASE_URL usually ends with /v1; that server must send MP3",
}


async def examine_voice(settings: Settings) -> Finding:
    """Check each chosen voice by reading one word aloud.

    The voice service `openai` charges for each word.
    """
    name = settings.narration_backend
    try:
        voices = await open_voices(settings)
        if voices is None:
            return Finding(subject=_SUBJECT, ok=True, found=_OFF)
        if voices.languages:
            await voices.load()
            name = f"{name} ({voices.languages})"
        spoken = [await _try(voice) for voice in voices.all.values()]
    except StartupError as error:
        return Finding(
            subject=_SUBJECT, ok=False, found=f"{name}: not available", advice=str(error)
        )
    except UserError as error:
        advice = _ADVICE.get(error.key, "try another NARRATION_VOICE")
        return Finding(
            subject=_SUBJECT, ok=False, found=f"{name}: no speech ({error.key})", advice=advice
        )
    except ClapperError as error:
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found=f"{name}: no speech ({error})",
            advice="check the free memory, and that this ffmpeg has libmp3lame to write MP3",
        )
    loudness = [narration.loudness for narration in spoken if narration.loudness is not None]
    if len(loudness) < len(spoken):
        return Finding(
            subject=_SUBJECT,
            ok=False,
            found=f"{name}: the speech is silent",
            advice="try another NARRATION_VOICE",
        )
    seconds = sum(narration.seconds for narration in spoken)
    words = "a word" if len(spoken) == 1 else f"a word with each of {len(spoken)} voices"
    return Finding(
        subject=_SUBJECT,
        ok=True,
        found=f"{name}: spoke {words} in {seconds:.1f} s at {min(loudness):.0f} LUFS",
    )


async def _try(voice: Voice) -> Narration:
    """Read a word aloud, and convert the recording as `/narrate` does."""
    ffmpeg = Ffmpeg(await find_ffmpeg(), slots=1)
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="clapper-"))
    try:
        await voice.speak(_WORD, folder / "spoken")
        spoken = await _ingest(ffmpeg, folder)
        await write_mp3(ffmpeg, spoken, folder / "narration.mp3")
        return spoken
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _ingest(ffmpeg: Ffmpeg, folder: Path) -> Narration:
    try:
        return await ingest(
            ffmpeg, folder / "spoken", folder / "spoken.wav", max_seconds=_MAX_SECONDS
        )
    except UserError as error:
        raise UserError("speech.unusable") from error
