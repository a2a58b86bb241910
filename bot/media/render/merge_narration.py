"""Merges a narration with a clip, and repairs clips that would not play in Discord."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.artifacts import NOTE_HELD, NOTE_HELD_INSTEAD, NOTE_SILENT
from bot.errors import MediaError
from bot.media.files.atomic import run_uncancelled
from bot.media.mp4.playable import repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.process.child import LostChildError
from bot.media.provenance import MARK_BYTES, DigitalSource
from bot.media.render.audio_stream import ducked, narration_only, plain, repeated
from bot.media.render.colours import wide_colours
from bot.media.render.encoded_narration import encoded_seconds, encoded_sound
from bot.media.render.mp4_output import Sound, SoundTreatment, write_mp4
from bot.media.render.narration_options import NarrationFit, NarrationMix
from bot.media.render.video_stream import Filling, Picture, open_clip, sound_of
from bot.presets import HELD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import ffmpeg as graph

    from bot.media.mp4.playable import Repair
    from bot.media.mp4.reader import VideoInfo
    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.narration_options import NarrationOptions

log = logging.getLogger(__name__)

# A clip may be up to this much shorter than was ordered.
_ROUNDING_SECONDS = 0.1
_MAX_AUDIO_BYTES = 400_000 / 8  # for a second of noise; speech takes less than half


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeResult:
    """The result of a merge. `seconds`: the length of the merged video.

    `clip_seconds`: the length of the clip.
    `is_held`: whether the clip's last frame is held until the narration ends.
    `held_instead`: whether it is held because a looped clip would be too large.
    """

    seconds: float
    clip_seconds: float
    is_held: bool
    held_instead: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _MergePlan:
    """The duration of the merged video, and the way in which the clip fills it."""

    seconds: float
    filling: Filling = Filling.NONE
    held_instead: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clip:
    """A clip, its properties, and the plan for merging it."""

    path: Path
    info: VideoInfo
    plan: _MergePlan


def note_of(narration: Narration, merged: MergeResult) -> str | None:
    """Return the locale key of the sentence about a merge that its card has to show, or None."""
    if narration.loudness is None:
        return NOTE_SILENT  # ingested by an earlier version, which accepted silence
    if merged.held_instead:
        return NOTE_HELD_INSTEAD
    # No note is needed if the picture stands still only while the narration is silent.
    outlasts = narration.audible_seconds > merged.clip_seconds + HELD_SECONDS + _ROUNDING_SECONDS
    return NOTE_HELD if merged.is_held and outlasts else None


async def merge(
    ffmpeg: Ffmpeg, clip: Path, narration: Narration, target: Path, options: NarrationOptions
) -> MergeResult:
    """Merge `narration` with the MP4 `clip`, and write an MP4 that plays in Discord to `target`.

    The result is marked with its origin. Raises MediaError if the clip isn't a complete MP4, or if
    ffmpeg fails.
    """
    read = await _read_clip(clip, narration, options)
    loops_new_picture = read.plan.filling is Filling.LOOPED and repair_for(read.info).picture
    if not (loops_new_picture or read.info.video_joined or read.info.audio_joined):
        return await _merge_directly(ffmpeg, read, narration, target, options)
    # First the clip is encoded once, and then it is looped by copying. This way, the size of the
    # loop is known beforehand. A clip that changes its format midway is also encoded first.
    # Otherwise, the narration's filters would restart wherever the clip changes.
    encoded_once = target.with_name("once.mp4")
    try:
        await repair(ffmpeg, clip, encoded_once)
        read = await _read_clip(encoded_once, narration, options)
        return await _merge_directly(ffmpeg, read, narration, target, options)
    finally:
        await run_uncancelled(encoded_once.unlink, missing_ok=True)


async def _merge_directly(
    ffmpeg: Ffmpeg, read: _Clip, narration: Narration, target: Path, options: NarrationOptions
) -> MergeResult:
    clip, info, plan = read.path, read.info, read.plan
    encoded = repair_for(info).picture
    picture = Picture(
        info=info,
        seconds=plan.seconds,
        filling=plan.filling,
        encoded=encoded,
        colours=await wide_colours(ffmpeg, clip, info) if encoded else None,
    )
    # If the picture starts with a delay, the clip is shifted, so that its first frame is shown at
    # once.
    is_ducked = options.mix is NarrationMix.DUCK and info.audio_codec is not None
    source = open_clip(
        clip,
        info,
        shift_back=info.picture_delay,
        loops_until=_loop_end(info, plan),
        probed=encoded or is_ducked,
    )
    sounds: list[Sound | None] = []
    if is_ducked:
        own = _own_sound(clip, source, picture)
        sounds.append(Sound(stream=ducked(narration, own, seconds=plan.seconds)))
    if await asyncio.to_thread(_is_copyable, narration, plan):
        sounds.append(Sound(stream=encoded_sound(narration), treatment=SoundTreatment.CUT))
    sounds.append(Sound(stream=narration_only(narration, seconds=plan.seconds)))
    stated = info.digital_source or DigitalSource.MODEL
    result = stated.with_voice(spoken=options.spoken)
    await _write_with_first(ffmpeg, picture, source, target, sounds=sounds, digital_source=result)
    return MergeResult(
        seconds=plan.seconds,
        clip_seconds=info.seconds,
        is_held=plan.filling is Filling.HELD,
        held_instead=plan.held_instead,
    )


async def repair(ffmpeg: Ffmpeg, clip: Path, target: Path) -> bool:
    """Write a copy of the MP4 `clip` that plays in Discord to `target`.

    Returns False, and writes nothing, if the clip plays as it is. Raises MediaError if the clip
    isn't a complete MP4, or if ffmpeg fails.
    """
    info = await asyncio.to_thread(read_mp4, clip)
    repair_due = repair_for(info)
    if not repair_due.is_needed:
        return False
    seconds = info.picture_delay + info.seconds
    picture = Picture(
        info=info,
        seconds=seconds,
        filling=Filling.NONE,
        encoded=repair_due.picture,
        colours=await wide_colours(ffmpeg, clip, info) if repair_due.picture else None,
    )
    source = open_clip(clip, info)
    sounds: list[Sound | None] = [None]
    if info.audio_codec is not None:
        sounds.insert(0, _repaired_sound(sound_of(source, info), info, repair_due))
    stated = info.digital_source or DigitalSource.MODEL
    await _write_with_first(ffmpeg, picture, source, target, sounds=sounds, digital_source=stated)
    return True


def _repaired_sound(own: graph.Stream, info: VideoInfo, due: Repair) -> Sound:
    if info.audio_joined:
        return Sound(stream=own, treatment=SoundTreatment.JOINED)
    if due.sound:
        return Sound(stream=plain(own))
    return Sound(stream=own, treatment=SoundTreatment.COPIED)


async def _write_with_first(
    ffmpeg: Ffmpeg,
    picture: Picture,
    source: graph.Stream,
    target: Path,
    *,
    sounds: Sequence[Sound | None],
    digital_source: DigitalSource,
) -> None:
    """Write the video with the first of the `sounds` that ffmpeg can process."""
    write = partial(write_mp4, ffmpeg, picture, source, target, digital_source=digital_source)
    for sound in sounds[:-1]:
        try:
            await write(sound=sound)
        except LostChildError:
            raise
        except MediaError as error:
            if sound and sound.treatment is SoundTreatment.CUT:
                log.warning("merge.not_copied reason=%r", str(error))
                continue
            # If the clip's own sound can't be decoded, the video is written without it.
            log.warning("merge.own_sound_dropped reason=%r", str(error))
        else:
            return
    await write(sound=sounds[-1])


def _is_copyable(narration: Narration, plan: _MergePlan) -> bool:
    """Return whether the sound can be copied from the narration's M4A. Blocks the thread."""
    # A narration that is longer than the video is faded out, so it must be encoded again.
    return narration.seconds <= plan.seconds <= encoded_seconds(narration)


def _own_sound(clip: Path, source: graph.Stream, picture: Picture) -> graph.Stream:
    if picture.filling is not Filling.LOOPED:
        return plain(sound_of(source, picture.info))
    # The sound is read from a separate input. If picture and sound were looped together, both would
    # repeat only after the end of the longer one.
    again = open_clip(clip, picture.info, shift_back=picture.info.picture_delay)
    return repeated(plain(sound_of(again, picture.info)), seconds=picture.info.seconds)


async def _read_clip(clip: Path, narration: Narration, options: NarrationOptions) -> _Clip:
    info = await asyncio.to_thread(read_mp4, clip)
    size = (await asyncio.to_thread(clip.stat)).st_size
    return _Clip(path=clip, info=info, plan=_plan_for(info, narration, options, size=size))


def _plan_for(
    info: VideoInfo, narration: Narration, options: NarrationOptions, *, size: int
) -> _MergePlan:
    if narration.seconds <= info.seconds or options.fit is NarrationFit.TRIM:
        return _MergePlan(seconds=info.seconds)
    seconds = narration.seconds
    looped = size * seconds / info.seconds + _MAX_AUDIO_BYTES * seconds + MARK_BYTES
    if options.fit is NarrationFit.HOLD:
        return _MergePlan(seconds=seconds, filling=Filling.HELD)
    if looped > options.max_bytes:
        return _MergePlan(seconds=seconds, filling=Filling.HELD, held_instead=True)
    return _MergePlan(seconds=seconds, filling=Filling.LOOPED)


def _loop_end(info: VideoInfo, plan: _MergePlan) -> float | None:
    """Return the time until which a looped clip is read, or None if the clip isn't looped.

    Reading stops early enough that no frame follows the end of the video.
    """
    if plan.filling is not Filling.LOOPED:
        return None
    return max(info.seconds, plan.seconds - info.reorder_delay)
