"""Encodes narrations as MP3 files, which Discord can play and video services accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.process.child import ProcessLimits
from bot.media.provenance import DigitalSource, xmp_packet
from bot.media.render.audio_stream import narration_only

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg

_BITS_PER_SECOND = 64_000
# Programs that read ID3 tags expect XMP metadata in a private frame with this owner.
_MARK = f"id3v2_priv.XMP={xmp_packet(DigitalSource.MODEL)}"


async def write_mp3(
    ffmpeg: Ffmpeg, narration: Narration, target: Path, *, is_spoken: bool = True
) -> None:
    """Write a narration to the MP3 file `target`, at the loudness that it has in a video.

    `is_spoken`: whether a model made the sound. If so, the file is marked accordingly.
    Raises MediaError if ffmpeg fails.
    """
    part = part_of(target)
    mark = {"metadata": _MARK} if is_spoken else {"bitexact": None}
    output = graph.output(
        narration_only(narration, seconds=narration.seconds),
        f"file:{part.absolute()}",
        format="mp3",
        acodec="libmp3lame",
        ac=1,
        audio_bitrate=_BITS_PER_SECOND,
        map_metadata=-1,
        **mark,
    )
    limits = ProcessLimits(
        wall_seconds=60 + narration.seconds / 5,
        file_bytes=int(narration.seconds + 60) * _BITS_PER_SECOND // 4,
    )
    try:
        await ffmpeg.run(["-v", "error", *output.get_args()], cwd=target.parent, limits=limits)
        await run_uncancelled(commit, part, target)
    finally:
        await run_uncancelled(part.unlink, missing_ok=True)
