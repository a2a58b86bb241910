"""Tracks Discord's rate limits by route, and refuses requests that would exceed one.

discord.py tracks the limits too, but sleeps until a limit ends. It gives up only if the wait would
be longer than `max_ratelimit_timeout`, which can't be less than 30 seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

THROTTLED = 429
PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0
_MOST_ROUTES = 1000
# A place in a queue is at most this many seconds away. The requests ahead of it may never be sent
# again, because their jobs may have been deleted. With a shorter limit, more requests of a long
# queue come back too early, and each costs a step of its job.
_LONGEST_QUEUE_SECONDS = 240.0
_GLOBAL = "global"


class ThrottledError(aiohttp.ClientError):
    """The route accepts no more requests for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(kw_only=True, slots=True)
class _Window:
    """The current period of a rate limit. It began at `since` and lasts `seconds`.

    `left`: the number of requests that the route still accepts in this period, or None if unknown.
    `pace`: the average time per request in seconds, or 0 if the number of requests in a period is
    unknown.
    `queue_ends`: the time of the next free place in the queue.
    """

    left: int | None = None
    since: float = 0.0
    seconds: float = 0.0
    in_flight: int = 0
    pace: float = 0.0
    queue_ends: float = 0.0

    def opens_in(self, now: float) -> float:
        """Return the seconds until the period ends, or 0 if it has ended."""
        wait = self.since + self.seconds - now
        # A longer wait means that the clock was set back.
        return wait if 0 < wait <= 2 * self.seconds + 1 else 0.0

    def place_in(self, wait: float, now: float) -> float:
        """Return the seconds until the next free place in the queue.

        The queue opens after `wait` seconds.
        """
        place = max(now + wait, self.queue_ends)
        if place - now > _LONGEST_QUEUE_SECONDS:
            return max(wait, _LONGEST_QUEUE_SECONDS)
        self.queue_ends = place + self.pace
        return place - now

    def close(self, seconds: float, *, now: float) -> None:
        self.left, self.since, self.seconds = 0, now, seconds


class RouteLimits:
    """Remembers the rate limits that Discord reported for each route."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def check(self, route: str, *, is_global: bool, queues: bool = False) -> None:
        """Raise ThrottledError if a request can't be sent now, because a limit has been reached.

        `is_global`: whether the limit on all requests with the bot's token applies too.
        `queues`: whether a refused request is sent again. Each refused request then gets a time of
        its own, so that the requests don't all come back at once when the period ends.
        """
        now = self._clock()
        wait = max(self._wait(name, now) for name in (route, _GLOBAL)[: 1 + is_global])
        if wait > 0:
            window = self._windows.get(route)
            raise ThrottledError(window.place_in(wait, now) if window and queues else wait)

    def begin(self, route: str, *, is_global: bool, queues: bool = False) -> None:
        """Count a request that is about to be sent. The parameters are those of `check`.

        Raises ThrottledError if a limit has been reached.
        """
        self.check(route, is_global=is_global, queues=queues)
        window = self._window(route, self._clock())
        if window.left is not None:
            window.left -= 1
        window.in_flight += 1

    def end(self, route: str, headers: Mapping[str, str] | None) -> None:
        """Count a request as ended, and read the route's limit from the headers of the response.

        `headers`: None if there was no response.
        """
        window = self._windows.get(route)
        if window is None:
            return
        window.in_flight = max(0, window.in_flight - 1)
        seconds = _number(headers or {}, "X-RateLimit-Reset-After")
        left = _number(headers or {}, "X-RateLimit-Remaining")
        if seconds is None or left is None:
            return
        # Discord doesn't count requests that are still in flight, so they are subtracted.
        window.left = max(0, int(left) - window.in_flight)
        window.since, window.seconds = self._clock(), min(seconds, _LONGEST_PAUSE_SECONDS)
        limit = _number(headers or {}, "X-RateLimit-Limit")
        if limit is not None and limit >= 1:
            # The header reports only the rest of the period, so the longest rest reported so far
            # is the best measurement of a whole period.
            window.pace = max(window.pace, window.seconds / limit)

    def close(self, route: str, headers: Mapping[str, str], *, is_global: bool) -> float:
        """Pause a route after Discord refused a request with 429, and return the pause's length."""
        now = self._clock()
        seconds = _number(headers, "Retry-After")
        seconds = PAUSE_SECONDS if seconds is None else min(max(seconds, 0), _LONGEST_PAUSE_SECONDS)
        for name in (route, _GLOBAL)[: 1 + is_global]:
            self._window(name, now).close(seconds, now=now)
        return seconds

    def _wait(self, route: str, now: float) -> float:
        window = self._windows.get(route)
        if window is None or window.left is None or window.left > 0:
            return 0.0
        return window.opens_in(now)

    def _window(self, route: str, now: float) -> _Window:
        if len(self._windows) >= _MOST_ROUTES:
            self._windows = {
                name: window
                for name, window in self._windows.items()
                if window.in_flight or window.opens_in(now) > 0
            }
        window = self._windows.setdefault(route, _Window())
        if not window.opens_in(now):
            window.left = None
        return window


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return None
