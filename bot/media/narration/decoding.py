"""Builds the ffmpeg command that decodes an untrusted audio file to WAV, and sets its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.process.child import ProcessLimits

if TYPE_CHECKING:
    from pathlib import Path

_RATE = 48_000
_BYTES_PER_SECOND = _RATE * 2 * 2
_DECODERS = (
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_s64le,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,"
    "adpcm_yamaha,adpcm_g726,mp3,mp3float,mp2,mp2float,aac,alac,flac,opus,libopus,vorbis,"
    "libvorbis,ac3,ac3_fixed,eac3,pcm_f64be,pcm_u16le,pcm_u16be,pcm_bluray,aac_latm,mp1,mp1float,"
    "amrnb,amrwb,ape,wavpack,tta"
)


def decoding_arguments(
    demuxer: str, source: Path, part: Path, *, seconds: int, track: int
) -> list[str]:
    """Return the ffmpeg arguments that decode at most `seconds` of an audio track to a WAV."""
    sound = graph.input(
        f"file:{source.absolute()}",
        format=demuxer,
        t=seconds,
        threads=1,
        probesize="5M",
        analyzeduration="5M",
        protocol_whitelist="file",
        format_whitelist=demuxer,
        codec_whitelist=_DECODERS,
    )
    plain = (
        # The conversion to 16 bits comes first, because it removes NaN and infinite samples.
        sound[f"a:{track}"]
        .filter("aformat", sample_fmts="s16")
        .filter("astats", measure_perchannel="none", measure_overall="Peak_level+Flat_factor")
        # `first_pts` is not set. With it, aresample would insert silence if the format changed
        # midway, as much as there was sound before.
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


def decoding_limits(seconds: int) -> ProcessLimits:
    """Return the limits for a process that decodes this many seconds of audio."""
    return ProcessLimits(
        wall_seconds=60 + seconds / 5,
        cpu_seconds=15 + seconds // 20,
        # ffmpeg itself stops soon after the file reaches the size in `-fs`. This limit applies only
        # if ffmpeg doesn't stop.
        file_bytes=2 * _max_bytes(seconds),
    )
