"""The budgets, and the SQL that compares the recorded costs with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.access.audit import recording

if TYPE_CHECKING:
    from storage.access.audit import AuditEntry
    from storage.database import Database

# More than any budget, yet small enough that adding a price doesn't overflow a 64-bit integer.
_UNLIMITED = 2**62
_MONTH = len("2026-11")
#: The micro-dollars in a dollar.
MICROS = 1_000_000
# If a provider reports more than a million dollars for a clip, it can only be an error.
_MOST_MICROS = MICROS * MICROS


def micros(dollars: float) -> int:
    """Convert US dollars to micro-dollars, rounded up. The result is at most a million dollars."""
    return min(math.ceil(round(dollars * MICROS, 3)), _MOST_MICROS)


def month_of(day: str) -> str:
    """Return the month of a day, such as 2026-11 for 2026-11-30."""
    return day[:_MONTH]


@dataclass(frozen=True, kw_only=True, slots=True)
class Budgets:
    """The amounts that may be spent, in micro-dollars.

    An amount of None means that there is no such budget.
    """

    day: int | None = None
    month: int | None = None
    per_user_month: int | None = None
    per_server_month: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """The highest possible cost of an order, and the budgets that it counts towards.

    `price`: the cost of the create request, in micro-dollars.
    `voice_price`: the cost of reading the order's text aloud.
    `writer_price`: the cost of the request to the prompt writer.
    `day`: the calendar day that it counts towards, such as 2026-11-30. Empty if no costs are
    recorded.
    `server`: the server that it counts towards, as in the column `queue_server`.
    `payer`: a keyed hash of the person's ID. Empty for an API client, to which no personal budget
    applies.
    """

    price: int = 0
    voice_price: int = 0
    writer_price: int = 0
    day: str = ""
    server: str = ""
    payer: str = ""
    budgets: Budgets = Budgets()

    @property
    def total(self) -> int:
        """The highest possible cost of all parts together."""
        return self.price + self.voice_price + self.writer_price

    @property
    def month(self) -> str:
        """The calendar month that the reservation counts towards."""
        return month_of(self.day)

    @property
    def columns(self) -> dict[str, str | int | None]:
        """The parameters of `WITHIN_BUDGETS`, and the values that are stored with an order."""
        budgets = self.budgets
        of_user = budgets.per_user_month if self.payer else None
        return {
            "price": self.price,
            "voice_price": self.voice_price,
            "writer_price": self.writer_price,
            "total": self.total,
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


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderedLength:
    """The length of the clip that a job orders, with the values that depend on it.

    `seconds`: the length.
    `fingerprint`: the fingerprint of the request with this length.
    `price`: the highest cost of a create request, in micro-dollars.

    If a value is None, the job's column is left unchanged.
    """

    seconds: int | None = None
    fingerprint: str | None = None
    price: int | None = None

    @property
    def columns(self) -> dict[str, str | int | None]:
        """The values that are stored with a job."""
        return {"seconds": self.seconds, "fingerprint": self.fingerprint, "price": self.price}


#: Leaves the length of a job unchanged.
SAME_LENGTH = OrderedLength()


def _or_unlimited(budget: int | None) -> int:
    return _UNLIMITED if budget is None else budget


def _fits(scope: str, period: str, budget: str) -> str:
    return f"""coalesce((SELECT spent - granted FROM ledger_sums
        WHERE scope = {scope} AND period = {period}), 0) + :total <= {budget}"""  # noqa: S608 - built from constants


# An order that costs nothing is never refused.
WITHIN_BUDGETS = f"""(:total = 0 OR (
    {_fits("'all'", ":ledger_day", ":budget_day")}
    AND {_fits("'all'", ":ledger_month", ":budget_month")}
    AND {_fits(":server_scope", ":ledger_month", ":budget_of_server")}
    AND {_fits(":person_scope", ":ledger_month", ":budget_of_user")}))"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """An amount that was spent, and an extra amount that was granted, in micro-dollars."""

    spent: int = 0
    granted: int = 0


_GRANT = """
INSERT INTO ledger (at, day, kind, subject, server, payer, granted, grant_id)
VALUES (:now, :day, 'granted', 'budget', '', :payer, :amount, :grant_id)
ON CONFLICT (grant_id) WHERE grant_id IS NOT NULL DO NOTHING
RETURNING id
"""

_SAME_GRANT = """
SELECT 1 FROM ledger WHERE grant_id = :grant_id AND payer = :payer AND granted = :amount
"""


class LedgerStore:
    """Reads the ledger's sums, and stores the entries that don't belong to a job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spending(self, scope: str, period: str) -> Spending:
        """Return the amount that was spent in a scope, such as a server, in a day or a month."""
        row = await self._database.row(
            "SELECT spent, granted FROM ledger_sums WHERE scope = :scope AND period = :period",
            {"scope": scope, "period": period},
        )
        return Spending(**dict(row)) if row else Spending()

    async def grant(
        self, payer: str, amount: int, *, grant_id: str, day: str, entry: AuditEntry
    ) -> bool:
        """Allow a person to spend another `amount` micro-dollars in the month of `day`.

        The audit's `entry` is stored in the same transaction. If the same grant was stored before,
        nothing is stored. Returns False if `grant_id` belongs to another grant.
        """
        params = {"day": day, "payer": payer, "amount": amount, "grant_id": grant_id}
        [stored, *_] = await self._database.sequence(
            (_GRANT, {"now": entry.at, **params}), recording(entry)
        )
        return bool(stored) or await self._database.row(_SAME_GRANT, params) is not None

    async def payer_key(self, month: str, new: bytes) -> bytes:
        """Return the key that hashes a month's payers.

        If the month has no key, `new` becomes the key.
        """
        # If the month has a key, the update changes nothing, but makes RETURNING include the row.
        rows = await self._database.rows(
            """INSERT INTO payer_keys (month, key) VALUES (:month, :key)
            ON CONFLICT (month) DO UPDATE SET month = excluded.month RETURNING key""",
            {"month": month, "key": new},
        )
        return bytes(rows[0]["key"])

    async def delete_keys(self, *, before: str) -> None:
        """Delete the payers' keys for the months before `before`."""
        await self._database.rows(
            "DELETE FROM payer_keys WHERE month < :before", {"before": before}
        )
