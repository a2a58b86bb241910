"""Turns an attached file into a plain, measured WAV: the first and only look at hostile sound."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.errors import MediaError, UserError
from bot.media.ffmpeg import Limits
from bot.media.files import commit, part_of, settled
from bot.media.sniff import DEMUXERS, NAMES, describe, sniff

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.ffmpeg import Ffmpeg

log = logging.getLogger(__name__)

_RATE = 48_000
_BYTES_PER_SECOND = _RATE * 2 * 2
_SILENCE_LUFS = -70.0  # the gate of EBU R 128: below it nothing is measured
_DECODERS = (
    "pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_f64le,pcm_alaw,"
    "pcm_mulaw,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,mp3,mp3float,mp2,mp2float,aac,alac,flac,opus,"
    "libopus,vorbis,libvorbis,ac3,eac3"
)
_LOUDNESS = re.compile(r"Integrated loudness:\s+I:\s+(\S+) LUFS")
_PEAK = re.compile(r"Peak level dB: (\S+)")
_FLATNESS = re.compile(r"Flat factor: (\S+)")
_CLIPPED_PEAK, _CLIPPED_FLATNESS = -0.1, 3.0  # dB; waves that stay at their peak
_NO_TRACK = "matches no streams"
_DECLARED = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Narration:
    """An ingested sound: a 48 kHz stereo 16-bit WAV; `loudness` in LUFS, None when it is silent.

    `clipped`: it was recorded so loud that its waves are cut flat.
    """

    path: Path
    seconds: float
    loudness: float | None
    clipped: bool = False


async def ingest(ffmpeg: Ffmpeg, source: Path, target: Path, *, max_seconds: int) -> Narration:
    """Decode the file `source` of anybody into the WAV `target`, and measure its loudness.

    UserError: `audio.empty`, `audio.not_audio`, `audio.unreadable`, `audio.no_sound` (each with
    what was found) or `audio.too_long` (seconds, max_seconds). MediaError: the disk is full.
    """
    demuxer = await asyncio.to_thread(_recognise, source)
    part = part_of(target)
    # A second more than allowed tells a sound that is too long from one that is just as long.
    arguments = _arguments(demuxer, source, part, seconds=max_seconds + 1)
    try:
        stderr = await ffmpeg.run(arguments, cwd=target.parent, limits=_limits(max_seconds + 1))
        narration = await settled(_keep, part, target, stderr, max_seconds)
    except MediaError as error:
        if "No space left on device" in error.stderr_tail:
            raise
        log.info("ingest.unreadable demuxer=%s reason=%s", demuxer, error)
        key = "audio.no_sound" if _NO_TRACK in error.stderr_tail else "audio.unreadable"
        raise UserError(key, found=NAMES[demuxer]) from error
    finally:
        await settled(part.unlink, missing_ok=True)
    log.info(
        *("ingest.done demuxer=%s seconds=%.1f silent=%s clipped=%s", demuxer, narration.seconds),
        *(narration.loudness is None, narration.clipped),
    )
    return narration


async def read_narration(path: Path) -> Narration | None:
    """Return the narration that was ingested to `path`; None: there is none."""
    return await asyncio.to_thread(_load, path)


def _recognise(source: Path) -> str:
    if not source.stat().st_size:
        raise UserError("audio.empty")
    demuxer = sniff(source)
    if demuxer is None:
        raise UserError("audio.not_audio", found=describe(source))
    return demuxer


def _arguments(demuxer: str, source: Path, part: Path, *, seconds: int) -> list[str]:
    sound = graph.input(
        f"file:{source.absolute()}",
        format=demuxer,
        t=seconds,
        threads=1,
        probesize="5M",
        analyzeduration="5M",
        protocol_whitelist="file",
        format_whitelist=",".join(DEMUXERS),
        codec_whitelist=_DECODERS,
    )
    plain = (
        # 16 bits first: NaN and infinite samples end here.
        sound["a:0"]
        .filter("aformat", sample_fmts="s16")
        .filter("astats", measure_perchannel="none", measure_overall="Peak_level+Flat_factor")
        .filter("aresample", _RATE, **{"async": 1, "first_pts": 0})
        .filter("aformat", channel_layouts="stereo", sample_fmts="flt")
        .filter("ebur128", framelog="verbose")
        .filter("aformat", sample_fmts="s16")
    )
    output = graph.output(
        plain,
        f"file:{part.absolute()}",
        format="wav",
        acodec="pcm_s16le",
        map_metadata=-1,
        map_chapters=-1,
        t=seconds,
        fs=_most_bytes(seconds),
        bitexact=None,
    )
    common = ["-v", "info", "-max_alloc", str(128 * 1024**2), "-filter_complex_threads", "1"]
    return [*common, *output.get_args()]


def _most_bytes(seconds: int) -> int:
    return seconds * _BYTES_PER_SECOND + 4096


def _limits(seconds: int) -> Limits:
    return Limits(
        wall_seconds=60 + seconds / 5,
        cpu_seconds=15 + seconds // 20,
        # ffmpeg itself ends at `-fs`, a packet late; this bound is for one that does not.
        file_bytes=2 * _most_bytes(seconds),
    )


def _keep(part: Path, target: Path, stderr: str, max_seconds: int) -> Narration:
    seconds = _length(part)
    if not seconds:
        raise UserError("audio.empty")
    if seconds > max_seconds:
        longest = max(_declared(stderr), round(seconds))
        raise UserError("audio.too_long", seconds=longest, max_seconds=max_seconds)
    loudness, clipped = _loudness(stderr), _is_clipped(stderr)
    # The measurement first: whoever finds the WAV finds it too.
    notes = _notes(target)
    part_of(notes).write_text(
        json.dumps({"loudness": loudness, "clipped": clipped}), encoding="utf-8"
    )
    commit(part_of(notes), notes)
    commit(part, target)
    return Narration(path=target, seconds=seconds, loudness=loudness, clipped=clipped)


def _load(path: Path) -> Narration | None:
    if not path.exists():
        return None
    measured = json.loads(_notes(path).read_text(encoding="utf-8"))
    return Narration(
        path=path,
        seconds=_length(path),
        loudness=measured["loudness"],
        clipped=measured["clipped"],
    )


def _notes(path: Path) -> Path:
    return path.with_suffix(".json")


def _length(path: Path) -> float:
    with wave.open(str(path), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def _declared(stderr: str) -> int:
    """Return the seconds that the file claims to have: it was cut off before its end."""
    found = _DECLARED.search(stderr)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else 0


def _loudness(stderr: str) -> float | None:
    # The last match: before it stands the file's own metadata, which may say anything.
    found = _LOUDNESS.findall(stderr)
    measured = float(found[-1]) if found else _SILENCE_LUFS
    return measured if measured > _SILENCE_LUFS else None


def _is_clipped(stderr: str) -> bool:
    peaks, flatness = _PEAK.findall(stderr), _FLATNESS.findall(stderr)
    if not (peaks and flatness):
        return False
    return float(peaks[-1]) > _CLIPPED_PEAK and float(flatness[-1]) > _CLIPPED_FLATNESS
