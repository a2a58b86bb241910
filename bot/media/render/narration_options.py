"""The options for merging a narration with a clip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NarrationFit(StrEnum):
    """The way to merge a narration that is longer than its clip.

    `HOLD`: the clip's last frame is held. `LOOP`: the clip is looped. `TRIM`: the narration is
    trimmed.
    """

    HOLD = "hold"
    LOOP = "loop"
    TRIM = "trim"


class NarrationMix(StrEnum):
    """The treatment of the clip's own sound.

    `DUCK`: the sound is kept, but lowered during speech.
    """

    REPLACE = "replace"
    DUCK = "duck"


@dataclass(frozen=True, kw_only=True, slots=True)
class NarrationOptions:
    """The options for merging a narration with a clip.

    `max_bytes`: the maximum size of a video with a looped clip.
    `spoken`: whether the narration was synthesised from a text.
    """

    fit: NarrationFit = NarrationFit.HOLD
    mix: NarrationMix = NarrationMix.REPLACE
    max_bytes: int = 200 * 1024**2
    spoken: bool = False
