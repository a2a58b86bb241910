"""Decides how a narration is laid over a clip, and how a clip is repaired."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.files.atomic import run_uncancelled
from bot.media.mp4.playable import repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.process.child import LostChildError
from bot.media.render.audio_stream import ducked, plain, repeated, replaced
from bot.media.render.mux import write_mp4
from bot.media.render.narration_options import NarrationFit, NarrationMix
from bot.media.render.video_stream import Filling, Picture, open_clip

if TYPE_CHECKING:
    from pathlib import Path

    import ffmpeg as graph

    from bot.media.mp4.reader import VideoInfo
    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.narration_options import NarrationPresets

log = logging.getLogger(__name__)

_MOST_AUDIO_BYTES = 400_000 / 8  # a second: hard noise, and usually less than half of that


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
    fit = await _choose(clip, info, narration, presets)
    if fit.filling is not Filling.LOOPED or not repair_for(info).picture:
        return await _lay_over(ffmpeg, clip, narration, target, presets)
    # Encoded once and then copied, not encoded over and over: so its size is known in time.
    once = target.with_name("once.mp4")
    try:
        await repair(ffmpeg, clip, once)
        return await _lay_over(ffmpeg, once, narration, target, presets)
    finally:
        await run_uncancelled(once.unlink, missing_ok=True)


async def _lay_over(
    ffmpeg: Ffmpeg, clip: Path, narration: Narration, target: Path, presets: NarrationPresets
) -> Merged:
    info = await asyncio.to_thread(read_mp4, clip)
    fit = await _choose(clip, info, narration, presets)
    encoded = repair_for(info).picture
    picture = Picture(info=info, seconds=fit.seconds, filling=fit.filling, encoded=encoded)
    # Its first frame is shown at once, though the clip may show it late.
    source = open_clip(clip, info, ahead=info.late, loops_until=_loop_end(info, fit))
    voice = replaced(narration, seconds=fit.seconds)
    sound = None
    if presets.mix is NarrationMix.DUCK and info.audio_codec is not None:
        sound = ducked(narration, _own_sound(clip, source, picture), seconds=fit.seconds)
    await _write_any(ffmpeg, picture, source, target, sounds=(sound, voice))
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
    source = open_clip(clip, info)
    sound = None
    if info.audio_codec is not None:
        sound = plain(source["a:0"]) if due.sound else source["a:0"]
    copied = not due.sound
    await _write_any(ffmpeg, picture, source, target, sounds=(sound, None), copied=copied)
    return True


async def _write_any(
    ffmpeg: Ffmpeg,
    picture: Picture,
    source: graph.Stream,
    target: Path,
    *,
    sounds: tuple[graph.Stream | None, graph.Stream | None],
    copied: bool = False,
) -> None:
    """Write a result with the first of the `sounds`, or without the clip's own: the second."""
    with_own, without = sounds
    if with_own is not None:
        try:
            await write_mp4(ffmpeg, picture, source, target, sound=with_own, copied=copied)
        except LostChildError:
            raise
        except MediaError as error:
            # A sound that nothing can decode, or that is empty, is no reason to lose the picture.
            log.warning("merge.own_sound_dropped reason=%r", str(error))
        else:
            return
    await write_mp4(ffmpeg, picture, source, target, sound=without)


def _own_sound(clip: Path, source: graph.Stream, picture: Picture) -> graph.Stream:
    if picture.filling is not Filling.LOOPED:
        return plain(source["a:0"])
    # From an input of its own: looped together, both would be as long as the longer of them.
    return repeated(
        plain(open_clip(clip, picture.info, ahead=picture.info.late)["a:0"]),
        seconds=picture.info.seconds,
    )


async def _choose(
    clip: Path, info: VideoInfo, narration: Narration, presets: NarrationPresets
) -> _Fit:
    size = (await asyncio.to_thread(clip.stat)).st_size
    return _fit(info, narration, presets, size=size)


def _fit(info: VideoInfo, narration: Narration, presets: NarrationPresets, *, size: int) -> _Fit:
    if narration.seconds <= info.seconds or presets.fit is NarrationFit.TRIM:
        return _Fit(seconds=info.seconds)
    seconds = narration.seconds
    looped = size * seconds / info.seconds + _MOST_AUDIO_BYTES * seconds
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
