"""The table of deleted jobs' remote ids, which are stored only as keyed hashes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from storage.database import Database

_KEEP_SECONDS = 30 * 24 * 60 * 60.0

_ADD = """
INSERT INTO spent_ref_hashes (ref_hash, at) VALUES (:ref_hash, :now)
ON CONFLICT (ref_hash) DO UPDATE SET at = :now
"""

_KNOWN = """
SELECT ref_hash FROM spent_ref_hashes WHERE ref_hash IN (SELECT value FROM json_each(:hashes))
"""

_LISTED = """
UPDATE spent_ref_hashes SET at = :now WHERE ref_hash IN (SELECT value FROM json_each(:hashes))
"""

# While a create request is unconfirmed, no hash is deleted. Otherwise, the bot could mistake the
# remote job of a deleted job for the one that this request created.
_DELETE_UNLISTED = """
DELETE FROM spent_ref_hashes WHERE at < :before AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE state IN ('submitting', 'unconfirmed', 'undecided'))
"""


class SpentRefs:
    """Recognises remote jobs of jobs whose rows were deleted. `hash_ref` must be a keyed hash."""

    def __init__(self, database: Database, hash_ref: Callable[[str], str]) -> None:
        self._database = database
        self._hash_ref = hash_ref

    async def add(self, backend: str, ref: str, *, now: float) -> None:
        """Store the hash of a remote id, because the row of its job is about to be deleted."""
        await self._database.rows(_ADD, {"ref_hash": self._hash(backend, ref), "now": now})

    async def among(self, backend: str, refs: Iterable[str]) -> frozenset[str]:
        """Return those of the remote ids that belonged to a job whose row was deleted."""
        by_hash = {self._hash(backend, ref): ref for ref in refs}
        rows = await self._database.rows(_KNOWN, {"hashes": json.dumps(list(by_hash))})
        return frozenset(by_hash[row["ref_hash"]] for row in rows)

    async def record_listed(self, backend: str, refs: Iterable[str], *, now: float) -> None:
        """Keep the hashes of these remote ids for longer, because the provider still lists them."""
        hashes = [self._hash(backend, ref) for ref in refs]
        await self._database.rows(_LISTED, {"hashes": json.dumps(hashes), "now": now})

    async def sweep(self, *, now: float) -> None:
        """Delete old hashes of ids that the provider no longer lists.

        Ids that earlier versions stored in plain text are replaced by hashes.
        """
        for row in await self._database.rows("SELECT * FROM spent_refs", {}):
            await self.add(row["backend"], row["remote_id"], now=now)
        await self._database.rows("DELETE FROM spent_refs", {})
        await self._database.rows(_DELETE_UNLISTED, {"before": now - _KEEP_SECONDS})

    def _hash(self, backend: str, ref: str) -> str:
        return self._hash_ref(f"{backend}\0{ref}")
