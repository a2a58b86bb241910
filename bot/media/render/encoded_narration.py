"""Encodes a narration before its clip is available, so that the merge only has to copy it.

The format is M4A. An M4A records the encoder's delay, so the copied sound stays in sync with the
picture.
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

# The M4A is padded with silence to at least this length, because the length of the clip is not
# known yet. Few clips are longer, and silence takes few bytes.
_MIN_SECONDS = 30.0
_SILENCE_SECONDS = 1.0  # the minimum length of the silence
_TOLERANCE = 0.03  # in seconds; a little longer than a packet


def may_be_copied(narration: Narration, options: NarrationOptions) -> bool:
    """Return whether a merge is likely to copy the narration's M4A.

    A merge that trims the narration, or mixes it with the clip's own sound, can't copy it.
    """
    is_trimmed = options.fit is NarrationFit.TRIM and narration.seconds > _MIN_SECONDS
    return options.mix is NarrationMix.REPLACE and not is_trimmed


async def encode_narration(ffmpeg: Ffmpeg, narration: Narration) -> None:
    """Write the narration, with its final loudness and followed by silence, to an M4A.

    The file is `narration.encoded`. Raises MediaError if ffmpeg fails.
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
    """Return the duration of the narration's M4A in seconds. Blocks the thread.

    Returns 0 if the M4A doesn't exist, is damaged, or was made from another narration.
    """
    try:
        seconds = read_sound_seconds(narration.encoded)
    except (OSError, MediaError):
        return 0.0
    is_same = abs(seconds - _seconds_with_silence(narration)) <= _TOLERANCE
    return seconds if is_same else 0.0


def encoded_sound(narration: Narration) -> graph.Stream:
    """Return the narration's M4A as an ffmpeg stream that can be copied."""
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
