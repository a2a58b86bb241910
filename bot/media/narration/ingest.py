"""Converts an attached file to a plain WAV, and measures its loudness.

All later steps read only that WAV, never the untrusted file.
"""

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
from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.narration.loudness import measure_loudness
from bot.media.narration.sniff import DEMUXERS, NAMES, describe, sniff
from bot.media.process.child import LostChildError, ProcessLimits

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg

log = logging.getLogger(__name__)

_RATE = 48_000
_BYTES_PER_SECOND = _RATE * 2 * 2
_DECODERS = (
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_s64le,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,"
    "adpcm_yamaha,adpcm_g726,mp3,mp3float,mp2,mp2float,aac,alac,flac,opus,libopus,vorbis,"
    "libvorbis,ac3,eac3"
)
_PEAK = re.compile(r"Peak level dB: (\S+)")
_FLATNESS = re.compile(r"Flat factor: (\S+)")
_CLIPPED_PEAK, _CLIPPED_FLATNESS = -0.1, 3.0  # in dB, and as astats' flat factor
_NO_TRACK = "matches no streams"
_DECLARED = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Narration:
    """An ingested narration, as a 48 kHz stereo 16-bit WAV.

    `loudness` is in LUFS, or None for silence. `clipped`: the recording is so loud that its peaks
    are cut off.
    """

    path: Path
    seconds: float
    loudness: float | None
    clipped: bool = False


async def ingest(ffmpeg: Ffmpeg, source: Path, target: Path, *, max_seconds: int) -> Narration:
    """Decode the untrusted file `source` to the WAV `target`, and measure its loudness.

    UserError: `audio.empty`, `audio.not_audio`, `audio.unreadable`, `audio.no_sound` (the last
    three with the detected format) or `audio.too_long` (seconds, max_seconds). MediaError: the
    ingestion failed, but the file is not to blame.
    """
    demuxer = await asyncio.to_thread(detect_format, source)
    part = part_of(target)
    # One extra second distinguishes a file that is too long from one that is just at the limit.
    arguments = _arguments(demuxer, source, part, seconds=max_seconds + 1)
    try:
        stderr = await _decode(ffmpeg, arguments, demuxer, part, max_seconds)
        seconds = await asyncio.to_thread(_checked_seconds, part, stderr, max_seconds)
        narration = Narration(
            path=target,
            seconds=seconds,
            loudness=await measure_loudness(ffmpeg, part, seconds=seconds),
            clipped=_is_clipped(stderr),
        )
        await run_uncancelled(_commit, part, narration)
    finally:
        await run_uncancelled(part.unlink, missing_ok=True)
    log.info(
        "ingest.done demuxer=%s seconds=%.1f silent=%s clipped=%s",
        demuxer,
        narration.seconds,
        narration.loudness is None,
        narration.clipped,
    )
    return narration


async def read_narration(path: Path) -> Narration | None:
    """Return the narration that was ingested to `path`, or None if there is no file.

    MediaError: the file is damaged.
    """
    try:
        return await asyncio.to_thread(_load, path)
    except (OSError, ValueError, KeyError, EOFError, wave.Error) as error:
        raise MediaError(f"the ingested narration is damaged: {error}") from error


async def _decode(
    ffmpeg: Ffmpeg, arguments: list[str], demuxer: str, part: Path, max_seconds: int
) -> str:
    try:
        return await ffmpeg.run(arguments, cwd=part.parent, limits=_limits(max_seconds + 1))
    except LostChildError:
        raise
    except MediaError as error:
        if "No space left on device" in error.stderr_tail:
            raise
        log.info("ingest.unreadable demuxer=%s reason=%s", demuxer, error)
        key = "audio.no_sound" if _NO_TRACK in error.stderr_tail else "audio.unreadable"
        raise UserError(key, found=NAMES[demuxer]) from error


def detect_format(source: Path) -> str:
    """Return the ffmpeg demuxer that matches a file's first bytes (blocking).

    UserError: `audio.empty`, or `audio.not_audio` with the detected format.
    """
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
        # Convert to 16 bits first, to remove NaN and infinite samples.
        sound["a:0"]
        .filter("aformat", sample_fmts="s16")
        .filter("astats", measure_perchannel="none", measure_overall="Peak_level+Flat_factor")
        # No `first_pts`: if the format changes midway, it would insert silence for the time so far.
        .filter("aresample", _RATE, **{"async": 1})
        .filter("aformat", channel_layouts="stereo", sample_fmts="s16")
    )
    output = graph.output(
        plain,
        f"file:{part.absolute()}",
        format="wav",
        acodec="pcm_s16le",
        map_metadata=-1,
        map_chapters=-1,
        t=seconds,
        fs=_max_bytes(seconds),
        bitexact=None,
    )
    common = ["-v", "info", "-max_alloc", str(128 * 1024**2), "-filter_complex_threads", "1"]
    return [*common, *output.get_args()]


def _max_bytes(seconds: int) -> int:
    return seconds * _BYTES_PER_SECOND + 4096


def _limits(seconds: int) -> ProcessLimits:
    return ProcessLimits(
        wall_seconds=60 + seconds / 5,
        cpu_seconds=15 + seconds // 20,
        # ffmpeg itself stops within a packet of `-fs`; this limit applies if it doesn't.
        file_bytes=2 * _max_bytes(seconds),
    )


def _checked_seconds(part: Path, stderr: str, max_seconds: int) -> float:
    seconds = _wav_seconds(part)
    if not seconds:
        raise UserError("audio.empty")
    if seconds > max_seconds:
        longest = max(_declared_seconds(stderr), round(seconds))
        raise UserError("audio.too_long", seconds=longest, max_seconds=max_seconds)
    return seconds


def _commit(part: Path, narration: Narration) -> None:
    # The measurement is written first, so that it exists whenever the WAV does.
    measurement_file = _measurement_file(narration.path)
    measured = {"loudness": narration.loudness, "clipped": narration.clipped}
    part_of(measurement_file).write_text(json.dumps(measured), encoding="utf-8")
    commit(part_of(measurement_file), measurement_file)
    commit(part, narration.path)


def _load(path: Path) -> Narration | None:
    if not path.exists():
        return None
    measured = json.loads(_measurement_file(path).read_text(encoding="utf-8"))
    return Narration(
        path=path,
        seconds=_wav_seconds(path),
        loudness=measured["loudness"],
        clipped=measured["clipped"],
    )


def _measurement_file(path: Path) -> Path:
    return path.with_suffix(".json")


def _wav_seconds(path: Path) -> float:
    with wave.open(str(path), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def _declared_seconds(stderr: str) -> int:
    """Return the duration in the file's header, in seconds: decoding stopped before the end."""
    found = _DECLARED.search(stderr)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else 0


def _is_clipped(stderr: str) -> bool:
    # Only the last match counts: the file's metadata, which ffmpeg prints earlier, may imitate it.
    peaks, flatness = _PEAK.findall(stderr), _FLATNESS.findall(stderr)
    if not (peaks and flatness):
        return False
    return float(peaks[-1]) > _CLIPPED_PEAK and float(flatness[-1]) > _CLIPPED_FLATNESS
