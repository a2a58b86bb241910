"""Limits the rate of requests by client or by address.

`limits` is not used, because its memory storage reads the wall clock and starts a timer thread.
`aiolimiter` has only one bucket, and delays requests instead of refusing them.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_BUCKETS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """The parameters of a token bucket.

    `burst`: the number of tokens in a full bucket. `per_second`: the tokens that are added each
    second.
    """

    burst: float
    per_second: float


@dataclass(kw_only=True, slots=True)
class _Bucket:
    tokens: float
    updated_at: float


class RateLimiter:
    """A token bucket for each name. The least recently used buckets are deleted."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> float:
        """Take a token.

        Returns 0, or the seconds until a token will be available.
        """
        now = self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(tokens=self._rate.burst, updated_at=now))
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        passed = max(0.0, now - bucket.updated_at)
        bucket.tokens = min(self._rate.burst, bucket.tokens + passed * self._rate.per_second)
        bucket.updated_at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._rate.per_second
        bucket.tokens -= 1
        return 0.0
