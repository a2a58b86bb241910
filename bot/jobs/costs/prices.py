"""The prices of what an order can cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """Prices in micro-dollars. A price is 0 if the service is free or its price is unknown.

    `clip`: one create request. `voice`: one text that is read aloud. `writer`: one request to the
    prompt writer.
    """

    clip: int = 0
    voice: int = 0
    writer: int = 0

    @property
    def has_any(self) -> bool:
        """True if anything costs."""
        return self.clip + self.voice + self.writer > 0
