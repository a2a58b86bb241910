"""SpendingReports: a month's spending by day, server and person, for the bot's owner."""

from __future__ import annotations

import asyncio
import calendar
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from storage.ledger.budgets import month_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.costs.calendar import Calendar
    from storage.ledger.budgets import Budgets
    from storage.ledger.spending import MonthSpending, SpendingStore

MOST_NAMED = 6
"""The servers and the persons that are named one by one."""
_SERVER = "server:"
_MONTH = re.compile(r"2[0-9]{3}-(?:0[1-9]|1[0-2])", re.ASCII)


class Names(Protocol):
    """Finds the names of servers and people.

    Each method returns None if the id has no known name.
    """

    async def server(self, server_id: int) -> str | None:
        """Return a server's name."""
        ...

    async def person(self, user_id: int) -> str | None:
        """Return a person's name."""
        ...


class NoNames:
    """Finds no names, because there is no connection to Discord."""

    async def server(self, server_id: int) -> str | None:  # noqa: ARG002 - none is known
        """Return None."""
        return None

    async def person(self, user_id: int) -> str | None:  # noqa: ARG002 - none is known
        """Return None."""
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class SpendingReport:
    """The spending in a month, the operator's budgets, and the names of servers and people.

    `months`: the months that have entries, newest first. `names`: the name for each server,
    as in `queue_server`, and for each person's id.
    """

    spending: MonthSpending
    budgets: Budgets
    months: tuple[str, ...]
    names: dict[str | int, str]

    @property
    def days_in_month(self) -> tuple[str, ...]:
        """Each day of the month, such as 2026-11-30."""
        month = self.spending.month
        _, count = calendar.monthrange(*map(int, month.split("-")))
        return tuple(f"{month}-{day:02}" for day in range(1, count + 1))


def is_month(text: str) -> bool:
    """Tell whether a text is a month such as 2026-11."""
    return _MONTH.fullmatch(text) is not None


class SpendingReports:
    """Reads what was spent, and finds the names of the servers and people in a report."""

    def __init__(
        self,
        store: SpendingStore,
        days: Calendar,
        *,
        budgets: Budgets,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._days = days
        self._budgets = budgets
        self._clock = clock

    async def of_month(self, month: str | None, names: Names) -> SpendingReport:
        """Return the report of a month such as 2026-11, or of this month if `month` is None."""
        month = month or month_of(self._days.day(self._clock()))
        spending = await self._store.of_month(month, limit=MOST_NAMED)
        servers = [each.server for each in spending.servers if each.server.startswith(_SERVER)]
        persons = [each.user_id for each in spending.persons if each.user_id is not None]
        found = await asyncio.gather(
            *(names.server(int(server.removeprefix(_SERVER))) for server in servers),
            *(names.person(user_id) for user_id in persons),
        )
        keys: list[str | int] = [*servers, *persons]
        return SpendingReport(
            spending=spending,
            budgets=self._budgets,
            months=tuple(await self._store.months()),
            names={key: name for key, name in zip(keys, found, strict=True) if name},
        )
