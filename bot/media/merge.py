"""Writes a result in one run of ffmpeg: a clip with a narration over it, repaired where due."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.ffmpeg import Limits
from bot.media.files import commit, part_of, settled
from bot.media.inline import repair_for
from bot.media.mp4 import read_mp4
from bot.media.picture import Filling, Picture, exact, open_clip
from bot.media.presets import NarrationFit, NarrationMix
from bot.media.voice import ducked, plain, repeated, replaced

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.media.ffmpeg import Ffmpeg
    from bot.media.ingest import Narration
    from bot.media.inline import Repair
    from bot.media.mp4 import VideoInfo
    from bot.media.presets import NarrationPresets

_AUDIO_BYTES = 160_000 / 8  # a second
_MARK = "Generated video"
# What a voice has lies below 16 kHz: the bits go there, and the encoder has less to do.
_AAC: Mapping[str, str | float] = {"acodec": "aac", "audio_bitrate": "160k", "cutoff": 16_000}


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """How a merge came out; `held_instead`: a loop would have become too large."""

    held_instead: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fit:
    """How long a result is, and how the clip's picture fills it."""

    seconds: float
    filling: Filling = Filling.NONE
    held_instead: bool = False


async def merge(
    ffmpeg: Ffmpeg, clip: Path, narration: Narration, target: Path, presets: NarrationPresets
) -> Merged:
    """Write to `target` the MP4 `clip` with `narration` over it, so that it plays in Discord.

    MediaError: the clip isn't a whole MP4, or ffmpeg failed.
    """
    info = await asyncio.to_thread(read_mp4, clip)
    size = (await asyncio.to_thread(clip.stat)).st_size
    fit = _fit(info, narration, presets, size=size)
    is_ducked = presets.mix is NarrationMix.DUCK and info.audio_codec is not None
    picture = Picture(
        info=info,
        seconds=fit.seconds,
        filling=fit.filling,
        encoded=repair_for(info).picture,
    )
    # Its first frame is shown at once, though the clip may show it late.
    source = open_clip(clip, ahead=info.late, loops_until=_loop_end(info, fit))
    if is_ducked:
        own = _own_sound(clip, source, picture)
        sound = ducked(narration, own, seconds=fit.seconds)
    else:
        sound = replaced(narration, seconds=fit.seconds)
    await _write(ffmpeg, picture, source, target, sound=sound, copied=False)
    return Merged(held_instead=fit.held_instead)


async def repair(ffmpeg: Ffmpeg, clip: Path, target: Path) -> bool:
    """Write to `target` the MP4 `clip` so that it plays in Discord; False: it does so as it is.

    MediaError: the clip isn't a whole MP4, or ffmpeg failed.
    """
    info = await asyncio.to_thread(read_mp4, clip)
    due = repair_for(info)
    if not due.is_due:
        return False
    seconds = info.late + info.seconds
    picture = Picture(info=info, seconds=seconds, filling=Filling.NONE, encoded=due.picture)
    source = open_clip(clip)
    sound = _kept_sound(source, info, due)
    await _write(ffmpeg, picture, source, target, sound=sound, copied=not due.sound)
    return True


def _own_sound(clip: Path, source: graph.Stream, picture: Picture) -> graph.Stream:
    if picture.filling is not Filling.LOOPED:
        return plain(source["a:0"])
    # From an input of its own: looped together, both would be as long as the longer of them.
    return repeated(
        plain(open_clip(clip, ahead=picture.info.late)["a:0"]), seconds=picture.info.seconds
    )


def _kept_sound(source: graph.Stream, info: VideoInfo, due: Repair) -> graph.Stream | None:
    if info.audio_codec is None:
        return None
    return plain(source["a:0"]) if due.sound else source["a:0"]


def _fit(info: VideoInfo, narration: Narration, presets: NarrationPresets, *, size: int) -> _Fit:
    if narration.seconds <= info.seconds or presets.fit is NarrationFit.TRIM:
        return _Fit(seconds=info.seconds)
    seconds = narration.seconds
    looped = size * seconds / info.seconds + _AUDIO_BYTES * seconds
    if presets.fit is NarrationFit.HOLD:
        return _Fit(seconds=seconds, filling=Filling.HELD)
    if looped > presets.max_bytes:
        return _Fit(seconds=seconds, filling=Filling.HELD, held_instead=True)
    return _Fit(seconds=seconds, filling=Filling.LOOPED)


def _loop_end(info: VideoInfo, fit: _Fit) -> float | None:
    """Return where to stop reading a loop: what is read by then is shown by the result's end."""
    if fit.filling is not Filling.LOOPED:
        return None
    return max(info.seconds, fit.seconds - info.ahead)


async def _write(  # noqa: PLR0913 - the two halves of a result, and where it goes
    ffmpeg: Ffmpeg,
    picture: Picture,
    source: graph.Stream,
    target: Path,
    *,
    sound: graph.Stream | None,
    copied: bool,
) -> None:
    part = part_of(target)
    streams = [picture.stream(source), *([] if sound is None else [sound])]
    coding: Mapping[str, str | float] = {"acodec": "copy"} if copied else _AAC
    output = graph.output(
        *streams,
        f"file:{part.absolute()}",
        **picture.options(),
        **coding,
        **_marks(picture.info),
        format="mp4",
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        t=exact(picture.seconds),
        bitexact=None,
    )
    arguments = ["-v", "warning", "-filter_complex_threads", "1", *output.get_args()]
    try:
        await ffmpeg.run(arguments, cwd=target.parent, limits=_limits(picture))
        await settled(commit, part, target)
    finally:
        await settled(part.unlink, missing_ok=True)


def _marks(info: VideoInfo) -> dict[str, str]:
    """Keep the title, and say that no camera took this; all else is left behind."""
    marks = {"metadata:g:0": f"comment={_MARK}"}
    return marks | {"metadata:g:1": f"title={info.title}"} if info.title else marks


def _limits(picture: Picture) -> Limits:
    if picture.encoded:
        return Limits(wall_seconds=600, cpu_seconds=1200)
    return Limits(wall_seconds=120 + picture.seconds / 5)
