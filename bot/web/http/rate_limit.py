"""Bounds how often each client, and each address, may ask."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_KEPT = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """So many requests at once, and so many more in each second."""

    burst: float
    per_second: float


@dataclass(kw_only=True, slots=True)
class _Bucket:
    left: float
    at: float


class RateLimiter:
    """A bucket for each name; the ones that were not asked for longest are forgotten."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> float:
        """Take one request, and return 0; or the seconds to wait for the next."""
        now = self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(left=self._rate.burst, at=now))
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MOST_KEPT:
            self._buckets.popitem(last=False)
        passed = max(0.0, now - bucket.at)
        bucket.left = min(self._rate.burst, bucket.left + passed * self._rate.per_second)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / self._rate.per_second
        bucket.left -= 1
        return 0.0
