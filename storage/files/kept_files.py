"""The table of files that are kept after their jobs have ended.

The bot computes the used space from this table.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bot.media.files.stores.base import KeptFile, job_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage.database import Database, Row

ALL_KEPT = "SELECT * FROM kept_files"

_RECORD = """
INSERT INTO kept_files (key, job_id, size, since) VALUES (:key, :job_id, :size, :since)
ON CONFLICT (key) DO UPDATE SET size = excluded.size, since = excluded.since
"""

_RECORD_FIRST = """
INSERT INTO kept_files (key, job_id, size, since) VALUES (:key, :job_id, :size, :since)
ON CONFLICT (key) DO NOTHING
RETURNING key
"""

_FORGET = """
DELETE FROM kept_files WHERE key IN (SELECT value FROM json_each(:keys))
"""

_OF_JOBS = """
SELECT * FROM kept_files WHERE job_id IN (SELECT value FROM json_each(:job_ids))
"""

# If a file was recorded more recently than this, it may not have reached the store yet.
_UNDER_WAY_SECONDS = 60 * 60.0


class KeptFileTable:
    """Stores the key, the size and the time of each kept file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, file: KeptFile) -> None:
        """Record a file. If the file is recorded already, update its size and time."""
        await self._database.rows(_RECORD, _params(file))

    async def record_first(self, file: KeptFile) -> bool:
        """Record a file, or return False if its key is recorded already."""
        return await self._database.row(_RECORD_FIRST, _params(file)) is not None

    async def forget(self, keys: Collection[str]) -> None:
        """Delete the records of files that are not kept any more."""
        await self._database.rows(_FORGET, {"keys": json.dumps(list(keys))})

    async def all(self) -> tuple[KeptFile, ...]:
        """List all recorded files."""
        rows = await self._database.rows(ALL_KEPT, {})
        return tuple(map(file_from, rows))

    async def of_jobs(self, job_ids: Collection[str]) -> tuple[KeptFile, ...]:
        """List the recorded files of these jobs."""
        rows = await self._database.rows(_OF_JOBS, {"job_ids": json.dumps(list(job_ids))})
        return tuple(map(file_from, rows))

    async def mend(self, listed: Collection[KeptFile], *, now: float) -> tuple[KeptFile, ...]:
        """Correct the table to match a list of the store's files, and return the recorded files.

        A crash may leave records without files, and earlier versions left files without records.
        `listed`: all files in the store, listed before this call.
        """
        recorded = {file.key: file for file in await self.all()}
        present = {file.key: file for file in listed}
        settled = {
            key: file
            for key, file in recorded.items()
            if file.modified_at < now - _UNDER_WAY_SECONDS
        }
        for key, file in present.items():
            known = settled.get(key)
            if key not in recorded or (known is not None and known.size != file.size):
                await self.record(file)
                recorded[key] = file
        if gone := settled.keys() - present.keys():
            await self.forget(gone)
        return tuple(file for key, file in recorded.items() if key not in gone)


def _params(file: KeptFile) -> dict[str, str | int | float]:
    return {
        "key": file.key,
        "job_id": job_of(file.key),
        "size": file.size,
        "since": file.modified_at,
    }


def file_from(row: Row) -> KeptFile:
    """Return the file that a row records."""
    return KeptFile(key=row["key"], size=row["size"], modified_at=row["since"])
