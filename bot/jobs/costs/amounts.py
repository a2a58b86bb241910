"""Converts micro-dollars to the amounts that people read and type."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from bot.texts import Dollars

if TYPE_CHECKING:
    from collections.abc import Callable

_MICROS_IN_CENT = 10_000
_TYPED = re.compile(r"\$?([0-9]{1,6})(?:[.,]([0-9]{1,2}))?", re.ASCII)


def dollars(amount: int, *, rounding: Callable[[float], int] = math.floor) -> Dollars:
    """Convert micro-dollars to dollars, rounded to whole cents."""
    return Dollars(rounding(amount / _MICROS_IN_CENT) / 100)


def typed_amount(text: str) -> int | None:
    """Convert a typed amount such as 5, 2.50 or $10 to micro-dollars.

    Returns None if the text is not an amount.
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        return None
    cents = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    return cents * _MICROS_IN_CENT or None
