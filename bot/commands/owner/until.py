"""Parses the time at which a pause ends."""

from __future__ import annotations

import re
from datetime import datetime

from bot.errors import StartupError
from storage.access.pause import MAX_UNTIL

_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
_SECONDS = {"m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


def moment_of(text: str, *, now: float) -> int:
    """Convert `30m`, `2h`, `1d` or an ISO 8601 time to a Unix time.

    An ISO time without a zone is local time. Raises StartupError if the text is none of these, or
    is in the past.
    """
    span = _SPAN.fullmatch(text)
    if span:
        return int(now) + int(span[1]) * _SECONDS[span[2]]
    try:
        moment = int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError) as error:
        raise StartupError(
            f"--until: {text!a} is not a time: write 30m, 2h, 1d, or 2026-12-31T18:00."
        ) from error
    if not now < moment <= MAX_UNTIL:
        raise StartupError(f"--until: {text} is not a time to come.")
    return moment
