"""Encodes a narration before its clip is available, so that the merge can copy its packets.

An M4A records the encoder's delay, so that the copied sound stays in sync with the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.errors import MediaError
from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.mp4.reader import read_sound_seconds
from bot.media.process.child import ProcessLimits
from bot.media.render.audio_stream import narration_only
from bot.media.render.mp4_output import AAC
from bot.media.render.narration_options import NarrationFit, NarrationMix
from bot.media.render.video_stream import UNPROBED

if TYPE_CHECKING:
    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.narration_options import NarrationOptions

# The shortest M4A, because the clip's length is unknown yet. Silence takes few bytes, and few clips
# are longer than this.
_MIN_SECONDS = 30.0
_SILENCE_SECONDS = 1.0  # at least
_TOLERANCE = 0.03  # seconds, a little more than a packet


def may_be_copied(narration: Narration, options: NarrationOptions) -> bool:
    """Tell whether a merge is likely to copy the narration's M4A.

    A merge that mixes the narration with the clip's own sound, or trims and fades it out, has to
    encode it again.
    """
    is_trimmed = options.fit is NarrationFit.TRIM and narration.seconds > _MIN_SECONDS
    return options.mix is NarrationMix.REPLACE and not is_trimmed


async def encode_narration(ffmpeg: Ffmpeg, narration: Narration) -> None:
    """Write the M4A `narration.encoded`: the narration, as loud as in a video, and then silence.

    MediaError: ffmpeg failed.
    """
    target = narration.encoded
    part = part_of(target)
    seconds = _seconds_with_silence(narration)
    output = graph.output(
        narration_only(narration, seconds=seconds),
        f"file:{part.absolute()}",
        **AAC,
        format="mp4",
        map_metadata=-1,
        bitexact=None,
    )
    arguments = ["-v", "warning", "-filter_complex_threads", "1", *output.get_args()]
    limits = ProcessLimits(wall_seconds=60 + seconds / 5)
    try:
        await ffmpeg.run(arguments, cwd=target.parent, limits=limits)
        await run_uncancelled(commit, part, target)
    finally:
        await run_uncancelled(part.unlink, missing_ok=True)


def encoded_seconds(narration: Narration) -> float:
    """Return the duration of the narration's M4A, in seconds (blocking).

    0: there is no M4A, it is damaged, or it was made from another narration.
    """
    try:
        seconds = read_sound_seconds(narration.encoded)
    except (OSError, MediaError):
        return 0.0
    is_same = abs(seconds - _seconds_with_silence(narration)) <= _TOLERANCE
    return seconds if is_same else 0.0


def encoded_sound(narration: Narration) -> graph.Stream:
    """Open the narration's M4A, in order to copy its packets."""
    source = graph.input(
        f"file:{narration.encoded.absolute()}",
        **UNPROBED,
        format="mov",
        protocol_whitelist="file",
        format_whitelist="mov",
    )
    return source["a:0"]


def _seconds_with_silence(narration: Narration) -> float:
    return max(narration.seconds + _SILENCE_SECONDS, _MIN_SECONDS)
