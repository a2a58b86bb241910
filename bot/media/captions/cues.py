"""Cue: a text of the captions with its times, and the file that keeps the cues of a narration."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bot.media.files.atomic import commit, part_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# A cue stays until the next one, unless the pause between the two is longer than this.
_BRIDGED_SECONDS = 1.0
# The time for which a cue stays during a longer pause, so that its last word can be read.
_LINGERING_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Cue:
    """A text that is shown while it is spoken. `start` and `end` are seconds of the narration."""

    start: float
    end: float
    text: str


def without_gaps(cues: Sequence[Cue], *, seconds: float) -> list[Cue]:
    """Let each cue stay until the next one or, before a long pause, only a little longer.

    `seconds`: the end of the narration.
    """
    ends: list[float] = []
    for cue, following in pairwise([*cues, Cue(start=seconds, end=seconds, text="")]):
        is_bridged = following.start - cue.end <= _BRIDGED_SECONDS
        ends.append(following.start if is_bridged else cue.end + _LINGERING_SECONDS)
    return [replace(cue, end=end) for cue, end in zip(cues, ends, strict=True)]


def write_cues(path: Path, cues: Iterable[Cue]) -> None:
    """Write cues to a file, which appears only once it is complete. Blocks the thread."""
    part = part_of(path)
    part.write_text(json.dumps([asdict(cue) for cue in cues]), encoding="utf-8")
    commit(part, path)


def read_cues(path: Path) -> list[Cue] | None:
    """Read the file that `write_cues` wrote, or return None if it is missing or damaged.

    Blocks the thread.
    """
    try:
        entries: list[dict[str, Any]] = [*json.loads(path.read_text(encoding="utf-8"))]
        return [_cue(entry) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _cue(entry: dict[str, Any]) -> Cue:
    start, end = float(entry["start"]), float(entry["end"])
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError("a cue has no time")
    return Cue(start=start, end=end, text=str(entry["text"]))
