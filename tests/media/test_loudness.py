from __future__ import annotations

from typing import TYPE_CHECKING

from bot.media.narration.loudness import measure_loudness
from bot.media.process.ffmpeg import Ffmpeg

if TYPE_CHECKING:
    from pathlib import Path


async def test_of_two_summaries_the_last_one_counts(tmp_path: Path) -> None:
    # ffmpeg 5 prints two summaries, because it initialises its filters twice.
    script = tmp_path / "ffmpeg"
    summary = "  Integrated loudness:\\n    I: %s LUFS\\n"
    script.write_text(f"#!/bin/sh\nprintf '{summary}' -70.0 -16.9 >&2\n")
    script.chmod(0o700)
    sound = tmp_path / "narration.wav"
    assert await measure_loudness(Ffmpeg(script, slots=1), sound, seconds=3) == -16.9
