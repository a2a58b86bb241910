"""The table in which the desk orders smaller copies. Workers make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.database import Database

#: If a worker says nothing for this many seconds, another worker makes the copy.
TAKEN_SECONDS = 30.0
_KEEP_SECONDS = 24 * 60 * 60.0

# If a copy is ordered again, it is made again only if the last copy was too large or is no longer
# needed.
_ORDER = """
INSERT INTO copy_orders (job_id, decent, limit_bytes, in_background, ordered_at)
VALUES (:job_id, :decent, :limit_bytes, :in_background, :now)
ON CONFLICT (job_id, decent) DO UPDATE SET
    limit_bytes = :limit_bytes, in_background = :in_background, done_at = NULL,
    ordered_at = :now, taken_until = 0
WHERE copy_orders.done_at IS NOT NULL OR copy_orders.limit_bytes <> :limit_bytes
RETURNING job_id
"""

_TAKE = """
UPDATE copy_orders SET taken_until = :taken_until WHERE (job_id, decent) IN (
    SELECT job_id, decent FROM copy_orders
    WHERE done_at IS NULL AND taken_until <= :now AND in_background = :in_background
    ORDER BY ordered_at LIMIT 1 /* FOR UPDATE SKIP LOCKED */)
RETURNING job_id, decent, limit_bytes, in_background
"""

_HOLD = """
UPDATE copy_orders SET taken_until = :taken_until WHERE job_id = :job_id AND decent = :decent
"""

_FINISH = """
UPDATE copy_orders SET done_at = :now
WHERE job_id = :job_id AND decent = :decent AND limit_bytes = :limit_bytes
"""

_IS_DONE = """
SELECT 1 FROM copy_orders WHERE job_id = :job_id AND decent = :decent AND done_at IS NULL
"""

_FORGET = """
DELETE FROM copy_orders WHERE job_id = :job_id AND decent = :decent AND done_at IS NOT NULL
"""

_DELETE_OLD = """
DELETE FROM copy_orders WHERE ordered_at < :before
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyOrder:
    """An order for a copy of at most `limit_bytes`. `Shrinker` documents the other fields."""

    job_id: str
    decent: bool
    limit_bytes: int
    in_background: bool


class CopyOrderStore:
    """Stores orders for copies. `clock`: the clock that all processes on the database share."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def order(self, order: CopyOrder) -> None:
        """Store an order, unless the same copy is already ordered."""
        params = {
            "job_id": order.job_id,
            "decent": int(order.decent),
            "limit_bytes": order.limit_bytes,
            "in_background": int(order.in_background),
            "now": self._clock(),
        }
        await self._database.rows(_ORDER, params)

    async def take(self, *, in_background: bool) -> CopyOrder | None:
        """Take the oldest order that no worker has, or return None if there is none."""
        now = self._clock()
        row = await self._database.row(
            _TAKE,
            {
                "in_background": int(in_background),
                "now": now,
                "taken_until": now + TAKEN_SECONDS,
            },
        )
        if row is None:
            return None
        return CopyOrder(
            job_id=row["job_id"],
            decent=bool(row["decent"]),
            limit_bytes=row["limit_bytes"],
            in_background=bool(row["in_background"]),
        )

    async def hold(self, order: CopyOrder) -> None:
        """Record that a worker is still making a copy."""
        until = self._clock() + TAKEN_SECONDS
        await self._database.rows(_HOLD, _key(order) | {"taken_until": until})

    async def finish(self, order: CopyOrder) -> None:
        """Record that a copy has been made, or that it can't be made."""
        params = _key(order) | {"limit_bytes": order.limit_bytes, "now": self._clock()}
        await self._database.rows(_FINISH, params)

    async def is_done(self, order: CopyOrder) -> bool:
        """Return False while a worker still has to make the copy, and True otherwise."""
        return await self._database.row(_IS_DONE, _key(order)) is None

    async def forget(self, order: CopyOrder) -> None:
        """Delete an order that is done."""
        await self._database.rows(_FORGET, _key(order))

    async def sweep(self) -> None:
        """Delete orders that no desk waits for any more."""
        await self._database.rows(_DELETE_OLD, {"before": self._clock() - _KEEP_SECONDS})


def _key(order: CopyOrder) -> dict[str, str | int | float]:
    return {"job_id": order.job_id, "decent": int(order.decent)}
