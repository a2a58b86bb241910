"""The table of the bot's components that fail repeatedly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.database import Database, Row

_RECORD = """
INSERT INTO failing_parts (name, error, failures, since, last_at)
VALUES (:name, :error, :failures, :now, :now)
ON CONFLICT (name) DO UPDATE SET error = :error, failures = :failures, last_at = :now,
    since = CASE WHEN failing_parts.failures = 0 THEN excluded.since ELSE failing_parts.since END
"""

_RECORD_NOTICE = """
UPDATE failing_parts SET told_at = :now WHERE name IN (SELECT value FROM json_each(:names))
"""

# When a component recovers, its row is kept, because it stores when the operator was last notified.
ALL_FAILING = "SELECT * FROM failing_parts WHERE failures > 0 ORDER BY name"


@dataclass(frozen=True, kw_only=True, slots=True)
class FailingPart:
    """A component that has failed `failures` times in a row. Times are Unix seconds.

    `error`: the name of the last error's type.
    `since`, `last_at`: the times of the first failure and of the last failure.
    `notified_at`: the time at which the operator was last notified, or None if that never happened.
    """

    name: str
    error: str
    failures: int
    since: float
    last_at: float
    notified_at: float | None


class FailingPartStore:
    """Stores the components that keep failing, so that the operator can be told about them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, name: str, *, error: str, failures: int, now: float) -> None:
        """Record that a component has failed again."""
        await self._database.rows(
            _RECORD, {"name": name, "error": error, "failures": failures, "now": now}
        )

    async def all(self) -> list[FailingPart]:
        """List the components that keep failing."""
        return [failing_part_from(row) for row in await self._database.rows(ALL_FAILING, {})]

    async def record_notice(self, names: Iterable[str], *, now: float) -> None:
        """Record that the bot has tried to notify the operator of these components."""
        params = {"names": json.dumps(list(names)), "now": now}
        await self._database.rows(_RECORD_NOTICE, params)

    async def mark_recovered(self, name: str) -> None:
        """Record that a component works again."""
        await self._database.rows(
            "UPDATE failing_parts SET failures = 0 WHERE name = :name", {"name": name}
        )

    async def mark_all_recovered(self) -> None:
        """Forget all failures. At the start of a process, no component has failed yet."""
        await self._database.rows("UPDATE failing_parts SET failures = 0", {})


def failing_part_from(row: Row) -> FailingPart:
    """Convert a row of the table to a `FailingPart`."""
    return FailingPart(
        name=row["name"],
        error=row["error"],
        failures=row["failures"],
        since=row["since"],
        last_at=row["last_at"],
        notified_at=row["told_at"],
    )
