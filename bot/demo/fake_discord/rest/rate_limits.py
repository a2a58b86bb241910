"""Discord's rate limits: how many requests a route bears, and what the headers say of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import RefusedError, rate_limited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FREE = re.compile(r"/(interactions|webhooks)/")
# Each with its requests and seconds. The document names no numbers: these were seen by others,
# and where nobody saw any, they are strict.
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
    """What is left of a bucket until `ends`."""

    ends: float
    left: int


class RateLimits:
    """Counts requests in windows; nothing is refused until `enforced` is set."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.enforced = False
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def take(self, method: str, path: str) -> None:
        """Count a request; RefusedError: it is one too many."""
        if not self.enforced:
            return
        if not _FREE.match(path):
            self._count("global", _GLOBAL, _GLOBAL_SECONDS)
        self._count(*_bucket(method, path))

    def headers(self, method: str, path: str, template: str) -> Mapping[str, str]:
        """Return what an answer says of its bucket, which `template` names."""
        name, most, seconds = _bucket(method, path)
        now = self._clock()
        window = self._windows.get(name) or _Window(ends=now + seconds, left=most - 1)
        after = max(0.0, window.ends - now)
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(window.left),
            "X-RateLimit-Reset": f"{now + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(f"{method} {template}".encode()).hexdigest()[:16],
        }

    def _count(self, name: str, most: int, seconds: float) -> None:
        now = self._clock()
        window = self._windows.get(name)
        if window is None or window.ends <= now:
            window = self._windows[name] = _Window(ends=now + seconds, left=most)
        if not window.left:
            raise RefusedError(rate_limited(window.ends - now))
        window.left -= 1


def _bucket(method: str, path: str) -> tuple[str, int, float]:
    request = f"{method} {path}"
    for route, most, seconds in _ROUTES:
        if match := route.match(request):
            return f"{method} {match[1]}", most, seconds
    return request, _BUCKET, _BUCKET_SECONDS
