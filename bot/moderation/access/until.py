"""Reads the time until which a pause lasts."""

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
    """A time that has passed, or that is too far away."""


def moment_of(text: str, *, now: float, zone: tzinfo | None = None) -> int:
    """Return the Unix time of `30m`, `2h`, `1d` or an ISO time.

    `zone`: the zone of an ISO time that names none, or None for this machine's. ValueError: the
    text is not one of these. PastMomentError: the time has passed.
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
