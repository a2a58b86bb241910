"""The operator's options for narrations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NarrationFit(StrEnum):
    """The treatment of a narration that is longer than its clip.

    The clip's last frame is held, the clip is looped, or the narration is trimmed.
    """

    HOLD = "hold"
    LOOP = "loop"
    TRIM = "trim"


class NarrationMix(StrEnum):
    """The treatment of the clip's own sound: it is replaced, or lowered while the voice speaks."""

    REPLACE = "replace"
    DUCK = "duck"


@dataclass(frozen=True, kw_only=True, slots=True)
class NarrationPresets:
    """The options for merging a narration; a looped result has at most `max_bytes`."""

    fit: NarrationFit = NarrationFit.HOLD
    mix: NarrationMix = NarrationMix.REPLACE
    max_bytes: int = 200 * 1024**2
