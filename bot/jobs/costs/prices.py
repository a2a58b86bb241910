"""The prices of the services that an order can use."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """Prices in micro-dollars. A price is 0 if the service is free or its price is unknown.

    `clip`: one create request. `second`: each second of the clip, on top of `clip`.
    `voice`: one text that is read aloud. `writer`: one request to the prompt writer.
    """

    clip: int = 0
    second: float = 0.0
    voice: int = 0
    writer: int = 0

    def of_clip(self, seconds: int) -> int:
        """Return the highest price of a clip of this length."""
        return self.clip + math.ceil(round(self.second * seconds, 3))

    @property
    def has_any(self) -> bool:
        """True if anything costs."""
        return self.clip + self.second + self.voice + self.writer > 0
