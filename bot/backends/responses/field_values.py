"""Reads JSON values that every provider writes differently. Unusable values become None."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

_MILLISECONDS = 1e11  # as seconds, this would be in the year 5138
_SIZE = re.compile(r"(\d{1,5})\s*[xX*]\s*(\d{1,5})", re.ASCII)


def mapping_in(value: object) -> Mapping[str, object] | None:
    """Return the value if it is a JSON object, or None otherwise."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def sequence_in(value: object) -> list[object] | None:
    """Return the value if it is a JSON list, or None otherwise."""
    return cast("list[object]", value) if isinstance(value, list) else None


def text_in(value: object) -> str | None:
    """Return a string without surrounding spaces.

    Returns None if the value is empty or not a string.
    """
    return value.strip() or None if isinstance(value, str) else None


def status_in(value: object) -> str:
    """Return a status word in lower case, with underscores in place of hyphens and spaces."""
    return (text_in(value) or "").lower().replace("-", "_").replace(" ", "_")


def number_in(value: object) -> float | None:
    """Convert a number, or a string that contains a number, to a float.

    Returns None if the value is not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def percent_in(value: object) -> int | None:
    """Return a percentage, which may also be given as a fraction or as a string such as "45%"."""
    text = value.strip() if isinstance(value, str) else value
    percent = isinstance(text, str) and text.endswith("%")
    number = number_in(text.rstrip("% ") if isinstance(text, str) else text)
    if number is None:
        return None
    # The number 1 is read as 1 %, and not as 100 %. Otherwise, a server that counts from 0 to 100
    # would seem to have finished when it reports 1.
    fraction = 0 < number < 1 and not percent
    return round(min(max(number * 100 if fraction else number, 0), 100))


def dollars_in(usage: object) -> float | None:
    """Return the cost in US dollars from a response's `usage`, or None if it is missing."""
    fields = mapping_in(usage)
    dollars = number_in(fields.get("cost")) if fields else None
    return dollars if dollars is not None and dollars >= 0 else None


def time_in(value: object) -> float | None:
    """Convert a time to Unix seconds.

    The time may be in seconds, in milliseconds, or in the format of ISO 8601.
    """
    number = number_in(value)
    if number is None and isinstance(value, str):
        number = _calendar_time(value)
    if number is None or number <= 0:
        return None
    return number / 1000 if number > _MILLISECONDS else number


def _calendar_time(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def size_in(value: object) -> tuple[int, int] | None:
    """Return the width and height in a text such as "1280x720", or None if it has no such form."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return (int(match[1]), int(match[2])) if match else None
