"""Parses the time until which a pause lasts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from storage.access.pause import MAX_UNTIL

if TYPE_CHECKING:
    from datetime import tzinfo

_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
_SECONDS = {"m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


class PastMomentError(ValueError):
    """The time is in the past, or too far in the future."""


def moment_of(text: str, *, now: float, zone: tzinfo | None = None) -> int:
    """Convert `30m`, `2h`, `1d` or an ISO 8601 time to a Unix time.

    `zone`: the time zone of an ISO 8601 time without a zone, or None for this machine's zone.
    Raises ValueError if the text has none of these forms, and PastMomentError if the time is in the
    past.
    """
    span = _SPAN.fullmatch(text)
    if span:
        return int(now) + int(span[1]) * _SECONDS[span[2]]
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=zone)
        at = int(moment.timestamp())
    except (OverflowError, OSError) as error:
        raise ValueError(text) from error
    if not now < at <= MAX_UNTIL:
        raise PastMomentError(text)
    return at
