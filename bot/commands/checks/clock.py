"""Compares this machine's clock with Discord's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import aiohttp

from bot.commands.checks.findings import Finding
from bot.delivery.call_metrics import date_of

if TYPE_CHECKING:
    from collections.abc import Callable

_SUBJECT = "clock"
_DISCORD = "https://discord.com/api/v10"
_TIMEOUT = aiohttp.ClientTimeout(total=10)
# Discord's time has no fractions of a second, and its response takes a moment to arrive. Webhooks
# tolerate a difference of five minutes.
_TOLERATED_SECONDS = 60.0


async def examine_clock(api_url: str, *, clock: Callable[[], float] = time.time) -> Finding:
    """Compare this machine's clock with the time in a response from Discord."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(f"{api_url or _DISCORD}/gateway") as response,
        ):
            theirs, ours = date_of(response), clock()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        theirs = ours = None
    if theirs is None or ours is None:
        return Finding(
            subject=_SUBJECT,
            ok=True,
            checked=False,
            found="not checked: couldn't get the time from Discord",
        )
    ahead = ours - theirs
    if abs(ahead) <= _TOLERATED_SECONDS:
        return Finding(subject=_SUBJECT, ok=True, found="agrees with Discord's")
    return Finding(
        subject=_SUBJECT,
        ok=False,
        found=f"{_duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} Discord's",
        advice="correct the clock, and keep it correct with NTP (on Linux: timedatectl set-ntp "
        "true); with a wrong clock, webhooks are refused and links expire at the wrong time",
    )


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
