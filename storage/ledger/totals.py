"""Reads the sums of all ledger entries, and the costs that providers reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.database import Database, Row

_TOTALS = """
SELECT subject, kind, amount FROM ledger_totals
"""
_REPORTED = """
SELECT * FROM told_costs
"""
REPORTED_BY = """
SELECT * FROM told_costs WHERE backend = :backend
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportedCosts:
    """The costs that a provider reported, in micro-dollars.

    `jobs`: the number of jobs for which it reported a cost.
    `reported`: the sum of the reported costs.
    `recorded`: the sum in the ledger for the same jobs. It includes earlier create requests that
    may have been charged too.
    `highest`: the highest reported cost of one job.
    """

    backend: str
    jobs: int
    reported: int
    recorded: int
    highest: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerSums:
    """The sums of the ledger, in micro-dollars.

    `totals`: the sums by the subject and the kind of the entries.
    `reported`: the sums by provider.
    """

    totals: Mapping[tuple[str, str], int]
    reported: tuple[ReportedCosts, ...]

    @property
    def by_source(self) -> dict[tuple[str, str], int]:
        """The sum that each provider reported, and the sum in the ledger for the same jobs."""
        provider = {(each.backend, "provider"): each.reported for each in self.reported}
        return provider | {(each.backend, "ledger"): each.recorded for each in self.reported}


class LedgerSumStore:
    """Reads the sums that database triggers update, so no statement has to read all entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> LedgerSums:
        """Return the sums of all entries since the ledger began."""
        totals = await self._database.rows(_TOTALS, {})
        reported = await self._database.rows(_REPORTED, {})
        return LedgerSums(
            totals={(row["subject"], row["kind"]): row["amount"] for row in totals},
            reported=tuple(map(reported_from, reported)),
        )


def reported_from(row: Row) -> ReportedCosts:
    """Convert a row to the costs that a provider reported."""
    return ReportedCosts(
        backend=row["backend"],
        jobs=row["jobs"],
        reported=row["told"],
        recorded=row["settled"],
        highest=row["most"],
    )
