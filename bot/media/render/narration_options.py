"""The options for narrations: the operator's, and the narration's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NarrationFit(StrEnum):
    """The ways to merge a narration that is longer than its clip.

    Either the clip's last frame is held, or the clip is looped, or the narration is trimmed.
    """

    HOLD = "hold"
    LOOP = "loop"
    TRIM = "trim"


class NarrationMix(StrEnum):
    """The treatment of the clip's own sound: it is replaced, or lowered during speech."""

    REPLACE = "replace"
    DUCK = "duck"


@dataclass(frozen=True, kw_only=True, slots=True)
class NarrationOptions:
    """The options for merging a narration. A looped result has at most `max_bytes`.

    `spoken`: whether the narration is a text that a machine has read aloud.
    """

    fit: NarrationFit = NarrationFit.HOLD
    mix: NarrationMix = NarrationMix.REPLACE
    max_bytes: int = 200 * 1024**2
    spoken: bool = False
