"""What the operator decided about narrations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NarrationFit(StrEnum):
    """What becomes of a narration that is longer than its clip.

    The last picture is held, the clip is looped, or the narration is trimmed.
    """

    HOLD = "hold"
    LOOP = "loop"
    TRIM = "trim"


class NarrationMix(StrEnum):
    """What becomes of the clip's own sound: it is replaced, or ducks under the voice."""

    REPLACE = "replace"
    DUCK = "duck"


@dataclass(frozen=True, kw_only=True, slots=True)
class NarrationPresets:
    """How a narration is laid over a clip; a looped result has `max_bytes` at most."""

    fit: NarrationFit = NarrationFit.HOLD
    mix: NarrationMix = NarrationMix.REPLACE
    max_bytes: int = 200 * 1024**2
