"""The table of the budgets about which the operator was notified."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_RECORD = """
INSERT INTO budget_notices (period, budget, percent) VALUES (:period, :budget, :percent)
ON CONFLICT (period, budget) DO UPDATE SET percent = excluded.percent
"""

_PERCENT = """
SELECT percent FROM budget_notices WHERE period = :period AND budget = :budget
"""


class BudgetNoticeStore:
    """Stores the highest percentage of each budget that the operator was notified about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def percent(self, period: str, budget: int) -> int:
        """Return the highest percentage that a notice has named, or 0 if there was no notice."""
        row = await self._database.row(_PERCENT, {"period": period, "budget": budget})
        return row["percent"] if row else 0

    async def record(self, period: str, budget: int, percent: int) -> None:
        """Record that the bot has tried to notify the operator.

        `percent`: the percentage of the budget that is spent.
        """
        params = {"period": period, "budget": budget, "percent": percent}
        await self._database.rows(_RECORD, params)

    async def delete(self, *, before: str) -> None:
        """Delete the notices about all days and months before the month `before`."""
        await self._database.rows(
            "DELETE FROM budget_notices WHERE period < :before", {"before": before}
        )
