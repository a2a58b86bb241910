"""Converts an attached file to a plain WAV, and measures its loudness.

All later steps read only the WAV, and never the untrusted file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError, UserError
from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.mp4.reader import read_sound_number
from bot.media.narration.decoding import decoding_arguments, decoding_limits
from bot.media.narration.links import MAX_LINKS, Link, find_links
from bot.media.narration.loudness import measure_loudness
from bot.media.narration.pause import find_sound_end
from bot.media.narration.sniff import NAMES, Format, describe, sniff
from bot.media.narration.wav import append_wav, begin_wav, copy_link
from bot.media.process.child import LostChildError

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg

log = logging.getLogger(__name__)

_PEAK = re.compile(r"Peak level dB: (\S+)")
_FLATNESS = re.compile(r"Flat factor: (\S+)")
_CLIPPED_PEAK, _CLIPPED_FLATNESS = -0.1, 3.0  # the peak in dB, and the flat factor of astats
_NO_TRACK = "matches no streams"
_PADDING_SECONDS = 0.5  # the silence that encoders may add at both ends
_ESTIMATED = "Estimating duration from bitrate"
_DECLARED = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d\.\d)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Narration:
    """A narration, converted to a WAV with 48 kHz, two channels and 16 bits.

    `loudness`: the loudness in LUFS, or None if the narration is silent.
    `clipped`: whether the recording is so loud that its peaks are cut off.
    `sound_end`: the time in seconds at which the last sound ends. Only a pause follows it. None if
    an earlier version of the bot wrote the narration.
    """

    path: Path
    seconds: float
    loudness: float | None
    clipped: bool = False
    sound_end: float | None = None

    @property
    def encoded(self) -> Path:
        """The path of the narration as an M4A, which `encode_narration` writes."""
        return self.path.with_suffix(".m4a")

    @property
    def audible_seconds(self) -> float:
        """The time in seconds at which the last sound ends, or the length if that is unknown."""
        return self.seconds if self.sound_end is None else self.sound_end


async def ingest(ffmpeg: Ffmpeg, source: Path, target: Path, *, max_seconds: int) -> Narration:
    """Decode the untrusted file `source` to the WAV `target`, and measure its loudness.

    Raises UserError if the file is empty, is not audio, can't be read, has no sound, or is too
    long.
    Raises MediaError if the decoding fails for a reason other than the file.
    """
    found = await asyncio.to_thread(_sniffed, source)
    links = await asyncio.to_thread(_links, source, found)
    part, wav = part_of(target), _Wav(part=part_of(target), name=NAMES[found.demuxer])
    job = _Ingest(ffmpeg=ffmpeg, format=found, wav=wav, max_seconds=max_seconds)
    try:
        if len(links) == 1 and not found.start:
            stderr = await _decode(job, source, part)
            seconds = await asyncio.to_thread(_checked_seconds, part, stderr, max_seconds)
            clipped = _is_clipped(stderr)
        else:
            clipped = await _decode_links(job, source, links)
            seconds = await asyncio.to_thread(_checked_seconds, part, None, max_seconds)
        loudness = await measure_loudness(ffmpeg, part, seconds=seconds)
        narration = Narration(
            path=target,
            seconds=seconds,
            loudness=loudness,
            clipped=clipped,
            sound_end=await asyncio.to_thread(find_sound_end, part, loudness=loudness),
        )
        await run_uncancelled(_commit, part, narration)
    finally:
        for path in (part, wav.link, wav.decoded):
            await run_uncancelled(path.unlink, missing_ok=True)
    log.info(
        "ingest.done demuxer=%s seconds=%.1f silent=%s clipped=%s links=%s",
        found.demuxer,
        narration.seconds,
        narration.loudness is None,
        narration.clipped,
        len(links),
    )
    return narration


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wav:
    """The files that are written while a narration is decoded.

    `part`: the WAV, which is not finished yet. `name`: the name of the format in messages.
    A chained file consists of several files in a row, called links. Each is copied to `link`, and
    decoded to `decoded`.
    """

    part: Path
    name: str

    @property
    def link(self) -> Path:
        return self.part.with_name("link.part")

    @property
    def decoded(self) -> Path:
        return self.part.with_name("decoded.part")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ingest:
    """The values that are the same for all links of a chained file."""

    ffmpeg: Ffmpeg
    format: Format
    wav: _Wav
    max_seconds: int

    @property
    def name(self) -> str:
        return NAMES[self.format.demuxer]


def _links(source: Path, found: Format) -> list[Link]:
    if found.start:
        return [Link(start=found.start, end=source.stat().st_size)]
    links = find_links(source, found.demuxer)
    if len(links) > MAX_LINKS:
        raise UserError("audio.unreadable", found=NAMES[found.demuxer])
    return links


async def _decode_links(job: _Ingest, source: Path, links: list[Link]) -> bool:
    """Decode all links of a chained file into one WAV, and return whether any is clipped."""
    clipped, seconds = False, 0.0
    await run_uncancelled(begin_wav, job.wav.part)
    for link in links:
        await run_uncancelled(copy_link, source, job.wav.link, link, job.format.interval)
        stderr = await _decode(job, job.wav.link, job.wav.decoded)
        clipped = clipped or _is_clipped(stderr)
        seconds += await run_uncancelled(append_wav, job.wav.part, job.wav.decoded)
        if seconds > job.max_seconds + _PADDING_SECONDS:
            raise UserError("audio.over_limit", max_seconds=job.max_seconds)
    return clipped


async def read_narration(path: Path) -> Narration | None:
    """Read the narration that `ingest` wrote to `path`, or return None if there is no file.

    Raises MediaError if the file is damaged.
    """
    try:
        return await asyncio.to_thread(_load, path)
    except (OSError, ValueError, KeyError, EOFError, wave.Error) as error:
        raise MediaError(f"the ingested narration is damaged: {error}") from error


async def _decode(job: _Ingest, source: Path, part: Path) -> str:
    # One more second than allowed is decoded. Otherwise, a file that is too long would look like
    # one that has exactly the maximum length.
    seconds = job.max_seconds + 1
    track = (
        await asyncio.to_thread(_sound_number, source, job) if job.format.demuxer == "mov" else 0
    )
    arguments = decoding_arguments(job.format.demuxer, source, part, seconds=seconds, track=track)
    try:
        return await job.ffmpeg.run(arguments, cwd=part.parent, limits=decoding_limits(seconds))
    except LostChildError:
        raise
    except MediaError as error:
        if "No space left on device" in error.stderr_tail:
            raise
        log.info("ingest.unreadable demuxer=%s reason=%s", job.format.demuxer, error)
        key = "audio.no_sound" if _NO_TRACK in error.stderr_tail else "audio.unreadable"
        raise UserError(key, found=job.name) from error


def _sound_number(source: Path, job: _Ingest) -> int:
    """Return the number of an MP4's audio track.

    Raises UserError if a part of the track is missing.
    """
    try:
        return read_sound_number(source)
    except MediaError as error:
        log.info("ingest.unreadable demuxer=%s reason=%s", job.format.demuxer, error)
        raise UserError("audio.unreadable", found=job.name) from error


def detect_format(source: Path) -> str:
    """Return the name of the ffmpeg demuxer for a file, judging by its first bytes.

    Blocks the thread. Raises UserError if the file is empty or is not audio.
    """
    return _sniffed(source).demuxer


def _sniffed(source: Path) -> Format:
    if not source.stat().st_size:
        raise UserError("audio.empty")
    found = sniff(source)
    if found is None:
        raise UserError("audio.not_audio", found=describe(source))
    return found


def _checked_seconds(part: Path, stderr: str | None, max_seconds: int) -> float:
    seconds = _wav_seconds(part)
    if not seconds:
        raise UserError("audio.empty")
    if seconds <= max_seconds + _PADDING_SECONDS:
        return seconds
    declared = _declared_seconds(stderr or "")
    # Decoding stops one second after the limit. If the sound ended before that, `seconds` is its
    # length. Otherwise, its length is known only if the header states it.
    longest = max(declared, math.ceil(10 * seconds) / 10)
    if stderr is None or _ESTIMATED in stderr or (seconds >= max_seconds + 1 and not declared):
        raise UserError("audio.over_limit", max_seconds=max_seconds)
    raise UserError("audio.too_long", seconds=longest, max_seconds=max_seconds)


def _commit(part: Path, narration: Narration) -> None:
    # The measurements are written before the WAV, so that they exist whenever the WAV exists.
    measurement_file = _measurement_file(narration.path)
    measured = {
        "loudness": narration.loudness,
        "clipped": narration.clipped,
        "sound_end": narration.sound_end,
    }
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
        sound_end=measured.get("sound_end"),
    )


def _measurement_file(path: Path) -> Path:
    return path.with_suffix(".json")


def _wav_seconds(path: Path) -> float:
    with wave.open(str(path), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def _declared_seconds(stderr: str) -> float:
    """Return the duration in seconds that the file's header states, or 0 if none is stated."""
    found = _DECLARED.search(stderr)
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else 0.0


def _is_clipped(stderr: str) -> bool:
    # Only the last match counts. ffmpeg prints the file's metadata before it, and metadata may
    # contain the same words.
    peaks, flatness = _PEAK.findall(stderr), _FLATNESS.findall(stderr)
    if not (peaks and flatness):
        return False
    return float(peaks[-1]) > _CLIPPED_PEAK and float(flatness[-1]) > _CLIPPED_FLATNESS
