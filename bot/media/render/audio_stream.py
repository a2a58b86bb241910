"""The sound's side of a result: the narration at an even loudness, alone or over the clip's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.media.render.video_stream import exact

if TYPE_CHECKING:
    from bot.media.narration.ingest import Narration

_TARGET_LUFS = -16.0
_MOST_GAIN_DB = 30.0  # more would lift a room's hiss to the level of a voice
_FADE_SECONDS = 0.5
_RATE = 48_000
_FINE_RATE = 192_000


def replaced(narration: Narration, *, seconds: float) -> graph.Stream:
    """Return the voice alone: silence follows it, or it is faded out at the end."""
    # A limiter comes last, and once: before a sidechaincompress it can lock ffmpeg up.
    return _voice(narration, seconds=seconds).filter("alimiter", level=0, limit=0.75)


def ducked(narration: Narration, own: graph.Stream, *, seconds: float) -> graph.Stream:
    """Return the voice over the clip's `own` plain sound, which is lowered while it speaks."""
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
    # A clip's own sound may be as loud as can be, and AAC adds to what lies between the samples.
    fine = both.filter("aresample", _FINE_RATE).filter("alimiter", level=0, limit=0.55, attack=1)
    return fine.filter("aresample", _RATE)


def repeated(sound: graph.Stream, *, seconds: float) -> graph.Stream:
    """Repeat the first `seconds` of a sound without end; they are held in memory."""
    samples = round(seconds * _RATE)
    return (
        sound.filter("aformat", sample_fmts="s16")
        .filter("apad", whole_len=samples)
        .filter("aloop", loop=-1, size=samples)
        .filter("aformat", sample_fmts="fltp")
    )


def plain(sound: graph.Stream) -> graph.Stream:
    """Bring a clip's own sound to the form that all else has, in step with its picture."""
    return (
        sound.filter("aresample", _RATE, **{"async": 1, "first_pts": 0})
        # 16 bits first: NaN and infinite samples end here.
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
        voice = voice.filter("afade", type="out", start_time=exact(start), duration=_FADE_SECONDS)
    return _fitted(voice, seconds=seconds)


def _fitted(sound: graph.Stream, *, seconds: float) -> graph.Stream:
    return sound.filter("apad", whole_dur=exact(seconds)).filter("atrim", duration=exact(seconds))


def _gain(loudness: float | None) -> float:
    return 0.0 if loudness is None else min(_TARGET_LUFS - loudness, _MOST_GAIN_DB)
