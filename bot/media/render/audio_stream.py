"""Builds the audio stream of a video: the narration, alone or mixed with the clip's own sound.

All narrations are adjusted to the same loudness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.render.video_stream import ffmpeg_time

if TYPE_CHECKING:
    from bot.media.narration.ingest import Narration

_TARGET_LUFS = -16.0
_MAX_GAIN_DB = 30.0  # a higher gain would make background noise as loud as speech
_FADE_SECONDS = 0.5
_RATE = 48_000
_OVERSAMPLED_RATE = 192_000


def narration_only(narration: Narration, *, seconds: float) -> graph.Stream:
    """Return the narration with a duration of `seconds`, padded with silence or faded out."""
    # The limiter must be the last filter. Before sidechaincompress, it can deadlock ffmpeg 6.0.
    return _voice(narration, seconds=seconds).filter("alimiter", level=0, limit=0.75)


def ducked(narration: Narration, own: graph.Stream, *, seconds: float) -> graph.Stream:
    """Return the narration mixed with the clip's own sound, which is lowered during speech.

    `own`: the clip's sound, as `plain` returns it.
    """
    voice = _voice(narration, seconds=seconds).filter_multi_output("asplit")
    lowered = graph.filter(
        [_fitted(own, seconds=seconds), voice[0]],
        "sidechaincompress",
        threshold=0.03,
        ratio=8,
        attack=20,
        release=400,
    )
    both = graph.filter([lowered, voice[1]], "amix", inputs=2, duration="longest", normalize=0)
    # A clip's own sound may be as loud as possible, and AAC makes the peaks between samples higher.
    # Therefore, the limiter works at a higher sample rate.
    oversampled = both.filter("aresample", _OVERSAMPLED_RATE).filter(
        "alimiter", level=0, limit=0.55, attack=1
    )
    return oversampled.filter("aresample", _RATE)


def repeated(sound: graph.Stream, *, seconds: float) -> graph.Stream:
    """Repeat the first `seconds` of a stream endlessly. This part is kept in memory."""
    samples = round(seconds * _RATE)
    return (
        sound.filter("aformat", sample_fmts="s16")
        .filter("apad", whole_len=samples)
        .filter("aloop", loop=-1, size=samples)
        .filter("aformat", sample_fmts="fltp")
    )


def plain(sound: graph.Stream) -> graph.Stream:
    """Convert a clip's own sound to 48 kHz, stereo and floats, in sync with the picture."""
    return (
        sound.filter("aresample", _RATE, **{"async": 1, "first_pts": 0})
        # The conversion to 16 bits comes first, because it removes NaN and infinite samples.
        .filter("aformat", channel_layouts="stereo", sample_fmts="s16")
        .filter("aformat", sample_fmts="fltp")
    )


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
        voice = voice.filter(
            "afade", type="out", start_time=ffmpeg_time(start), duration=_FADE_SECONDS
        )
    return _fitted(voice, seconds=seconds)


def _fitted(sound: graph.Stream, *, seconds: float) -> graph.Stream:
    return sound.filter("apad", whole_dur=ffmpeg_time(seconds)).filter(
        "atrim", duration=ffmpeg_time(seconds)
    )


def _gain(loudness: float | None) -> float:
    return 0.0 if loudness is None else min(_TARGET_LUFS - loudness, _MAX_GAIN_DB)
