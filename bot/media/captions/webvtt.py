"""Writes cues as WebVTT, the format of captions that browsers show.

The package `webvtt-py` is not used, because it doesn't escape the texts of cues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.media.captions.cues import Cue

# Markup begins with "<" or "&". A ">" is escaped too, so that no text contains the arrow "-->".
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"})
_MIN_MILLISECONDS = 10


def webvtt(cues: Iterable[Cue], *, seconds: float) -> str:
    """Return cues as the text of a WebVTT file. The part of a cue after `seconds` is left out."""
    blocks = ["WEBVTT"]
    limit = round(1000 * seconds)
    for cue in cues:
        start, end = round(1000 * cue.start), min(round(1000 * cue.end), limit)
        # An empty line would end the cue, so all whitespace becomes a space.
        words = " ".join(cue.text.split())
        if words and end - start >= _MIN_MILLISECONDS:
            blocks.append(f"{_time(start)} --> {_time(end)}\n{words.translate(_ESCAPED)}")
    return "\n\n".join(blocks) + "\n"


def _time(milliseconds: int) -> str:
    seconds, fraction = divmod(max(milliseconds, 0), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{fraction:03}"
