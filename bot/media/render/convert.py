"""Converts a clip in another container, such as WebM, GIF or MOV, to an MP4."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError, UnconvertedError
from bot.media.clip_format import demuxer_of, head_of, is_mp4
from bot.media.files.atomic import part_of, run_uncancelled
from bot.media.mp4.reader import read_mp4
from bot.media.process.child import ProcessLimits
from bot.media.provenance import DigitalSource, commit_marked
from bot.media.render.colours import BT709, as_text, bt709_steps, convertible, probe_colours
from bot.media.render.video_stream import CLOCK

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.colours import Colours

log = logging.getLogger(__name__)

_DECODERS = (
    "h264,hevc,vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg4,mjpeg,prores,png,qtrle,gif,"
    "rawvideo,opus,libopus,vorbis,libvorbis,aac,mp3,mp3float,flac,alac,pcm_s16le,pcm_s16be,"
    "pcm_s24le,pcm_s24be,pcm_f32le"
)
_MAX_SECONDS = 600  # far longer than any requested clip
_LIMITS = ProcessLimits(wall_seconds=1800, cpu_seconds=3600)
_SCALE = (
    "scale=w='min(1920,iw)':h='min(1920,ih)'"
    ":force_original_aspect_ratio=decrease:force_divisible_by=2"
)


async def convert(ffmpeg: Ffmpeg, clip: Path) -> bool:
    """Convert `clip` to MP4 in place, or return False if it already is an MP4.

    Raises UnconvertedError if the clip can't be converted.
    """
    head = await asyncio.to_thread(head_of, clip)
    demuxer = demuxer_of(head)
    if is_mp4(head) or demuxer is None:
        return False
    part = part_of(clip)
    try:
        source = await _choose(ffmpeg, clip, demuxer)
        await ffmpeg.run(_arguments(source, clip, part), cwd=clip.parent, limits=_LIMITS)
        await run_uncancelled(commit_marked, part, clip, source.digital_source)
    except MediaError as error:
        raise UnconvertedError(f"no MP4 of this {demuxer}: {error}", error.stderr_tail) from error
    finally:
        await run_uncancelled(part.unlink, missing_ok=True)
    log.info("convert.done demuxer=%s", demuxer)
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """The properties of a clip that is converted.

    `picture`, `sound`: the streams to use, in ffmpeg's notation. `digital_source`: the origin.
    """

    demuxer: str
    picture: str
    sound: str
    colours: Colours | None
    digital_source: DigitalSource


async def _choose(ffmpeg: Ffmpeg, clip: Path, demuxer: str) -> _Source:
    video = audio = 0
    digital_source = None
    if demuxer == "mov":
        with suppress(MediaError):  # ffmpeg may still be able to read the clip
            info = await asyncio.to_thread(read_mp4, clip)
            video, audio = info.video_number, info.audio_number
            digital_source = info.digital_source
    stated = await probe_colours(ffmpeg, clip, demuxer=demuxer, number=video)
    # The capital V makes ffmpeg ignore covers and thumbnails.
    return _Source(
        demuxer=demuxer,
        picture=f"0:v:{video}" if video else "0:V:0",
        sound=f"0:a:{audio}?",
        colours=await convertible(ffmpeg, stated, cwd=clip.parent),
        digital_source=digital_source or DigitalSource.MODEL,
    )


def _arguments(chosen: _Source, clip: Path, target: Path) -> list[str]:
    source = {
        "protocol_whitelist": "file",
        "format_whitelist": chosen.demuxer,
        "codec_whitelist": _DECODERS,
        "threads": "2",
        "t": f"{_MAX_SECONDS}",
        "f": chosen.demuxer,
        "i": f"file:{clip.absolute()}",
    }
    result = {
        "vf": ",".join((_SCALE, *map(as_text, bt709_steps(chosen.colours)), "format=yuv420p")),
        **({name: str(value) for name, value in BT709.items()} if chosen.colours else {}),
        "c:v": "libx264",
        **{name: str(value) for name, value in CLOCK.items()},
        "preset": "veryfast",
        "crf": "18",
        "rc-lookahead": "10",
        "threads": "2",
        "c:a": "aac",
        "b:a": "160k",
        "ac": "2",
        "movflags": "+faststart",
        "map_metadata": "-1",
        "map_chapters": "-1",
        "fflags": "+bitexact",
        "f": "mp4",
    }
    streams = ["-map", chosen.picture, "-map", chosen.sound, "-sn", "-dn"]
    return [
        *("-v", "warning", "-filter_threads", "1"),
        *_options(source),
        *streams,
        *_options(result),
        f"file:{target.absolute()}",
    ]


def _options(values: dict[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in (f"-{name}", value)]
