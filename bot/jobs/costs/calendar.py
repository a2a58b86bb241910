"""Calendar: finds the day and the month that a cost counts towards, in the operator's time zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, tzinfo


class Calendar:
    """Converts Unix times to days of a time zone, and finds when its days and months begin."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def day(self, moment: float) -> str:
        """Return the date of a Unix time, such as 2026-11-30."""
        return self._date(moment).isoformat()

    def next_day(self, moment: float) -> float:
        """Return the Unix time at which the next day begins."""
        return self._begins(self._date(moment) + timedelta(days=1))

    def next_month(self, moment: float) -> float:
        """Return the Unix time at which the next month begins."""
        day = self._date(moment)
        # Four days after the 28th, it is always the next month.
        return self._begins((day.replace(day=28) + timedelta(days=4)).replace(day=1))

    def _date(self, moment: float) -> date:
        return datetime.fromtimestamp(moment, self._zone).date()

    def _begins(self, day: date) -> float:
        return datetime.combine(day, time(), self._zone).timestamp()
