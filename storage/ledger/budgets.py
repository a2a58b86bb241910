"""The budgets, and the statements that compare what is spent with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.access.audit import recording

if TYPE_CHECKING:
    from storage.access.audit import AuditEntry
    from storage.database import Database

# More than any budget; SQLite and PostgreSQL add a price to it without an overflow.
_UNLIMITED = 2**62
_MONTH = len("2026-11")
_MICROS = 1_000_000
# A provider that reports more than a million dollars for a clip reports nothing.
_MOST_MICROS = _MICROS * _MICROS


def micros(dollars: float) -> int:
    """Convert US dollars to micro-dollars, rounded up, and at most a million dollars."""
    return min(math.ceil(round(dollars * _MICROS, 3)), _MOST_MICROS)


def month_of(day: str) -> str:
    """Return the month of a day such as 2026-11-30."""
    return day[:_MONTH]


@dataclass(frozen=True, kw_only=True, slots=True)
class Budgets:
    """The most that may be spent, in micro-dollars; None: there is no such budget."""

    day: int | None = None
    month: int | None = None
    per_user_month: int | None = None
    per_server_month: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """The most that a create request may cost, and the budgets within which it has to be.

    `price`: the price in micro-dollars. `day`: the calendar day that it counts towards, such as
    2026-11-30, or empty if costs are not recorded. `server`: the server, as in `queue_server`.
    `payer`: a keyed hash of the person, or empty for an API client, which has no budget of a
    person.
    """

    price: int = 0
    day: str = ""
    server: str = ""
    payer: str = ""
    budgets: Budgets = Budgets()

    @property
    def month(self) -> str:
        """The calendar month that the reservation counts towards."""
        return month_of(self.day)

    @property
    def columns(self) -> dict[str, str | int | None]:
        """The parameters of `WITHIN_BUDGETS`, and the values that are stored with a job."""
        budgets = self.budgets
        of_user = budgets.per_user_month if self.payer else None
        return {
            "price": self.price,
            "ledger_day": self.day or None,
            "ledger_month": self.month,
            "payer": self.payer,
            "person_scope": f"person:{self.payer}",
            "server_scope": self.server,
            "budget_day": _or_unlimited(budgets.day),
            "budget_month": _or_unlimited(budgets.month),
            "budget_of_user": _or_unlimited(of_user),
            "budget_of_server": _or_unlimited(budgets.per_server_month),
        }


def _or_unlimited(budget: int | None) -> int:
    return _UNLIMITED if budget is None else budget


def _fits(scope: str, period: str, budget: str) -> str:
    return f"""coalesce((SELECT spent - granted FROM ledger_sums
        WHERE scope = {scope} AND period = {period}), 0) + :price <= {budget}"""  # noqa: S608 - built from constants


# What costs nothing is never refused.
WITHIN_BUDGETS = f"""(:price = 0 OR (
    {_fits("'all'", ":ledger_day", ":budget_day")}
    AND {_fits("'all'", ":ledger_month", ":budget_month")}
    AND {_fits(":server_scope", ":ledger_month", ":budget_of_server")}
    AND {_fits(":person_scope", ":ledger_month", ":budget_of_user")}))"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """The spent part of a budget, and what was granted above it, in micro-dollars."""

    spent: int = 0
    granted: int = 0


_GRANT = """
INSERT INTO ledger (at, day, kind, server, payer, granted)
VALUES (:now, :day, 'granted', '', :payer, :amount)
RETURNING id
"""


class LedgerStore:
    """Reads the sums of the ledger, and adds the entries that belong to no job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spending(self, scope: str, period: str) -> Spending:
        """Return what is spent in a scope and a period, as in the table of sums."""
        row = await self._database.row(
            "SELECT spent, granted FROM ledger_sums WHERE scope = :scope AND period = :period",
            {"scope": scope, "period": period},
        )
        return Spending(**dict(row)) if row else Spending()

    async def grant(self, payer: str, amount: int, *, day: str, entry: AuditEntry) -> None:
        """Let a person spend `amount` micro-dollars more in the month of `day`.

        `entry`: the entry of the audit, which is stored in the same transaction.
        """
        params = {"now": entry.at, "day": day, "payer": payer, "amount": amount}
        await self._database.sequence((_GRANT, params), recording(entry))

    async def payer_key(self, month: str, new: bytes) -> bytes:
        """Return the key of a month's payers; `new` becomes the key if the month has none."""
        # The update changes nothing, but returns the row that exists.
        rows = await self._database.rows(
            """INSERT INTO payer_keys (month, key) VALUES (:month, :key)
            ON CONFLICT (month) DO UPDATE SET month = excluded.month RETURNING key""",
            {"month": month, "key": new},
        )
        return bytes(rows[0]["key"])

    async def delete_keys(self, *, before: str) -> None:
        """Delete the keys of the months before `before`."""
        await self._database.rows(
            "DELETE FROM payer_keys WHERE month < :before", {"before": before}
        )
