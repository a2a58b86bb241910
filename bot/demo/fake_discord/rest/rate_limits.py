"""Implements Discord's rate limits and the headers that report them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import RefusedError, rate_limited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOT_GLOBAL = re.compile(r"/(interactions|webhooks)/")
# Each route accepts this number of requests in this number of seconds. Discord does not document
# the limits. Some of these were observed by other people, and the rest are guesses on the strict
# side.
_ROUTES = (
    (re.compile(r"PATCH (/webhooks/\d+/[^/]+)/"), 5, 5.0),
    (re.compile(r"PATCH (/channels/\d+/messages)/"), 5, 5.0),
    (re.compile(r"POST (/channels/\d+/messages)"), 5, 5.0),
    (re.compile(r"POST (/users/@me/channels)"), 10, 10.0),
)
_GLOBAL, _GLOBAL_SECONDS = 50, 1.0
_BUCKET, _BUCKET_SECONDS = 50, 1.0


@dataclass(kw_only=True, slots=True)
class _Window:
    """The number of requests (`left`) that a bucket still accepts until a certain time (`ends`)."""

    ends: float
    left: int


class RateLimits:
    """Counts requests in fixed periods of time.

    Requests are only refused while `enforced` is set.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.enforced = False
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def acquire(self, method: str, path: str) -> None:
        """Count a request.

        Raises RefusedError if the request exceeds a limit.
        """
        if not self.enforced:
            return
        if not _NOT_GLOBAL.match(path):
            self._count("global", _GLOBAL, _GLOBAL_SECONDS)
        self._count(*_bucket(method, path))

    def headers(self, method: str, path: str, template: str) -> Mapping[str, str]:
        """Return the headers that describe a request's bucket.

        The name of the bucket is derived from `template`.
        """
        name, limit, seconds = _bucket(method, path)
        now = self._clock()
        window = self._windows.get(name) or _Window(ends=now + seconds, left=limit - 1)
        after = max(0.0, window.ends - now)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(window.left),
            "X-RateLimit-Reset": f"{now + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(f"{method} {template}".encode()).hexdigest()[:16],
        }

    def _count(self, name: str, limit: int, seconds: float) -> None:
        now = self._clock()
        window = self._windows.get(name)
        if window is None or window.ends <= now:
            window = self._windows[name] = _Window(ends=now + seconds, left=limit)
        if not window.left:
            raise RefusedError(rate_limited(window.ends - now))
        window.left -= 1


def _bucket(method: str, path: str) -> tuple[str, int, float]:
    request = f"{method} {path}"
    for route, limit, seconds in _ROUTES:
        if match := route.match(request):
            return f"{method} {match[1]}", limit, seconds
    return request, _BUCKET, _BUCKET_SECONDS
