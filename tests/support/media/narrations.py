"""Ingests a sound once, for the many tests that merge it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from bot.media.narration.ingest import Narration, ingest
from bot.media.render.encoded_narration import encode_narration

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg

_MAX_SECONDS = 60


async def make_narration(
    ffmpeg: Ffmpeg, sound: Path, target: Path, *, is_encoded: bool = False
) -> Narration:
    """Write the files of a narration; `is_encoded`: also the one that is encoded ahead."""
    known = _known()
    key = (await asyncio.to_thread(sound.read_bytes), sound.suffix, is_encoded)
    if key not in known:
        narration = await ingest(ffmpeg, sound, target, max_seconds=_MAX_SECONDS)
        if is_encoded:
            await encode_narration(ffmpeg, narration)
        files = {path.suffix: path.read_bytes() for path in target.parent.glob(f"{target.stem}.*")}
        known[key] = (narration, files)
    narration, files = known[key]
    for suffix, content in files.items():
        target.with_suffix(suffix).write_bytes(content)
    return replace(narration, path=target)


@cache
def _known() -> dict[tuple[bytes, str, bool], tuple[Narration, dict[str, bytes]]]:
    return {}
