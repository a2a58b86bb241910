"""ClipPrices: calculates the highest price of a clip from its length."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipPrices:
    """The highest price of a clip, in micro-dollars: a part for each clip, and one for each second.

    Both are 0 if the price is unknown.
    """

    per_clip: int = 0
    per_second: float = 0.0

    def of(self, seconds: int) -> int:
        """Return the highest price of a clip of this length, in micro-dollars."""
        return self.per_clip + math.ceil(round(self.per_second * seconds, 3))
