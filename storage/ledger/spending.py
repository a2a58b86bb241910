"""The statements that read what was spent in a month, by day, by server and by person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.database import Database, Row

DAYS = """
SELECT period, spent FROM ledger_sums
WHERE scope = 'all' AND period > :first AND period < :end ORDER BY period
"""

MONTHS = """
SELECT period FROM ledger_sums WHERE scope = 'all' AND length(period) = 7 ORDER BY period DESC
"""

SERVERS = """
SELECT scope, spent FROM ledger_sums
WHERE period = :month AND spent > 0 AND scope <> 'all' AND scope NOT LIKE 'person:%'
ORDER BY spent DESC, scope LIMIT :limit
"""

# A person's ID is read from one of the person's jobs that is not deleted.
PERSONS = """
SELECT spent, (
    SELECT max(user_id) FROM jobs
    WHERE payer <> '' AND payer = substr(scope, 8) AND deleted_at IS NULL) AS user_id
FROM ledger_sums WHERE period = :month AND spent > 0 AND scope LIKE 'person:%'
ORDER BY spent DESC, scope LIMIT :limit
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSpending:
    """The spending of a server, in micro-dollars. `server` is written as in `queue_server`."""

    server: str
    spent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonSpending:
    """The spending of a person, in micro-dollars. `user_id`: None if all their jobs are deleted."""

    user_id: int | None
    spent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthSpending:
    """The spending in a month such as 2026-11, in micro-dollars.

    `days`: the spending by day, such as 2026-11-30. Days without entries are left out.
    `servers`, `persons`: those that have spent the most, in descending order.
    """

    month: str
    spent: int
    days: dict[str, int]
    servers: tuple[ServerSpending, ...]
    persons: tuple[PersonSpending, ...]


def days_of(month: str) -> dict[str, str]:
    """Return the parameters of `DAYS`."""
    # In ASCII, "." follows "-", so this is the end of the month's days.
    return {"first": f"{month}-", "end": f"{month}."}


def spending_from(
    month: str, *, days: Sequence[Row], servers: Sequence[Row], persons: Sequence[Row]
) -> MonthSpending:
    """Convert the rows of `DAYS`, `SERVERS` and `PERSONS`."""
    return MonthSpending(
        month=month,
        spent=sum(row["spent"] for row in days),
        days={row["period"]: row["spent"] for row in days},
        servers=tuple(ServerSpending(server=row["scope"], spent=row["spent"]) for row in servers),
        persons=tuple(
            PersonSpending(user_id=row["user_id"], spent=row["spent"]) for row in persons
        ),
    )


class SpendingStore:
    """Reads the sums of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def months(self) -> list[str]:
        """List the months that have entries, newest first."""
        return [row["period"] for row in await self._database.rows(MONTHS, {})]

    async def of_month(self, month: str, *, limit: int) -> MonthSpending:
        """Return the spending of a month, with at most `limit` servers and persons."""
        params = {"month": month, "limit": limit}
        return spending_from(
            month,
            days=await self._database.rows(DAYS, days_of(month)),
            servers=await self._database.rows(SERVERS, params),
            persons=await self._database.rows(PERSONS, params),
        )
