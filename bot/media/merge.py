"""Lays a narration over a clip: the picture is copied, only the sound is made anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.ffmpeg import Limits
from bot.media.files import commit, part_of
from bot.media.mp4 import read_mp4

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.ffmpeg import Ffmpeg
    from bot.media.ingest import Narration

_TARGET_LUFS = -16.0
_MOST_GAIN_DB = 30.0  # more would lift a room's hiss to the level of a voice
_FADE_SECONDS = 0.5


async def merge(ffmpeg: Ffmpeg, clip: Path, narration: Narration, target: Path) -> None:
    """Write to `target` the MP4 `clip` with `narration` in place of its sound.

    It is exactly as long as the clip: silence fills up, a longer narration is faded out.
    MediaError: the clip isn't a whole MP4, or ffmpeg failed.
    """
    info = await asyncio.to_thread(read_mp4, clip)
    part = part_of(target)
    arguments = _arguments(clip, narration, part, seconds=info.seconds)
    try:
        await ffmpeg.run(arguments, cwd=target.parent, limits=Limits())
        await asyncio.to_thread(commit, part, target)
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)


def _arguments(clip: Path, narration: Narration, part: Path, *, seconds: float) -> list[str]:
    picture = graph.input(
        f"file:{clip.absolute()}",
        format="mov",
        protocol_whitelist="file",
        format_whitelist="mov",
    )
    output = graph.output(
        picture["v:0"],
        _voice(narration, seconds=seconds),
        f"file:{part.absolute()}",
        format="mp4",
        vcodec="copy",
        acodec="aac",
        audio_bitrate="160k",
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        t=_exact(seconds),
        bitexact=None,
    )
    return ["-v", "warning", "-filter_complex_threads", "1", *output.get_args()]


def _voice(narration: Narration, *, seconds: float) -> graph.Stream:
    sound = graph.input(
        f"file:{narration.path.absolute()}",
        format="wav",
        protocol_whitelist="file",
        format_whitelist="wav",
    )
    voice = (
        sound["a:0"]
        .filter("aformat", channel_layouts="stereo", sample_fmts="fltp")
        .filter("volume", f"{_gain(narration.loudness):.2f}dB")
    )
    if narration.seconds > seconds:
        start = max(0.0, seconds - _FADE_SECONDS)
        voice = voice.filter("afade", type="out", start_time=_exact(start), duration=_FADE_SECONDS)
    return (
        voice.filter("apad", whole_dur=_exact(seconds))
        .filter("atrim", duration=_exact(seconds))
        .filter("alimiter", level=0, limit=0.75)
    )


def _gain(loudness: float | None) -> float:
    return 0.0 if loudness is None else min(_TARGET_LUFS - loudness, _MOST_GAIN_DB)


def _exact(seconds: float) -> str:
    return f"{seconds:.6f}"
