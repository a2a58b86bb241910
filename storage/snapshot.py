"""Reads the database read-only, even while a bot is using it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from bot.errors import StartupError
from storage.access.audit import NEWEST, AuditEntry
from storage.access.closed_log_channels import NEWEST as CLOSED_LOG_CHANNEL
from storage.access.closed_log_channels import closed_log_channel_from
from storage.access.settings import EVERYWHERE
from storage.database import NO_DRIVER
from storage.delivery.second_bots import second_bot_from
from storage.errors import StorageError, storage_errors
from storage.failing_parts import ALL_FAILING, failing_part_from
from storage.files.kept_files import ALL_KEPT, file_from
from storage.jobs.circuits import circuit_from
from storage.jobs.listings import LAST_COUNT, count_from
from storage.jobs.rows import job_from
from storage.ledger.spending import DAYS, PERSONS, SERVERS, days_of, spending_from
from storage.ledger.totals import REPORTED_BY, reported_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.media.files.stores.base import KeptFile
    from bot.model import Job
    from storage.access.closed_log_channels import ClosedLogChannel
    from storage.database import Row, Source
    from storage.delivery.second_bots import SecondBot
    from storage.failing_parts import FailingPart
    from storage.jobs.circuits import Circuit
    from storage.jobs.listings import OrphanCount
    from storage.ledger.spending import MonthSpending
    from storage.ledger.totals import ReportedCosts

_JOBS = """
SELECT * FROM jobs WHERE deleted_at IS NULL AND (
    state NOT IN ('succeeded', 'failed', 'cancelled') OR id IN (
        SELECT id FROM jobs
        WHERE deleted_at IS NULL AND state IN ('succeeded', 'failed', 'cancelled')
        ORDER BY created_at DESC LIMIT :ended))
ORDER BY created_at DESC, id
"""
_BEGINNING = "SELECT * FROM jobs WHERE deleted_at IS NULL AND id BETWEEN :first AND :last LIMIT 2"
_HAS_TABLE_SQLITE = "SELECT 1 FROM sqlite_master WHERE name = :name"
_HAS_TABLE_POSTGRES = """
SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = :name
"""
_ACCESS = """
SELECT changed_at AS at, scope, name, target, value, actor FROM access_settings
WHERE scope = :scope ORDER BY name, target
"""


def count_delivering(source: Source) -> int | None:
    """Count the finished videos that are not delivered yet, or return None if there is no database.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    row = _row(source, "SELECT count(*) FROM jobs WHERE state IN ('delivering', 'notifying')", {})
    return int(row[0]) if row else None


def read_circuit(source: Source, backend: str) -> Circuit | None:
    """Return a backend's circuit, or None if there is no circuit or no database.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "circuits"):
        return None
    row = _row(source, "SELECT * FROM circuits WHERE backend = :backend", {"backend": backend})
    return circuit_from(row) if row else None


def list_jobs(source: Source, *, ended: int) -> list[Job]:
    """List all open jobs and the newest ended jobs, newest first.

    `ended`: the maximum number of ended jobs.
    Returns an empty list if there is no database. Blocks the thread. Raises StorageError if the
    database can't be read, and StartupError if it is from another version of the bot.
    """
    return [_job(row) for row in _rows(source, _JOBS, {"ended": ended})]


def find_jobs(source: Source, beginning: str) -> list[Job]:
    """List at most two jobs whose ids begin with these hex digits.

    Blocks the thread, and raises the same errors as `list_jobs`.
    """
    return [
        _job(row)
        for row in _rows(source, _BEGINNING, {"first": beginning, "last": f"{beginning}g"})
    ]


def read_version(url: str) -> str:
    """Return the version of a PostgreSQL database.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    row = _row(url, "SELECT current_setting('server_version') AS version", {})
    return str(row["version"]) if row else ""


def read_second_bot(source: Source) -> SecondBot | None:
    """Return the most recently noticed second bot, or None if there is none or no database.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "second_bots"):
        return None
    row = _row(source, "SELECT * FROM second_bots ORDER BY last_at DESC LIMIT 1", {})
    return second_bot_from(row) if row else None


def read_closed_log_channel(source: Source) -> ClosedLogChannel | None:
    """Return the log channel to which the bot can't post, or None.

    Blocks. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "closed_log_channels"):
        return None
    row = _row(source, CLOSED_LOG_CHANNEL, {})
    return closed_log_channel_from(row) if row else None


def read_failing_parts(source: Source) -> list[FailingPart]:
    """List the bot's components that keep failing. The list is empty if there is no database.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "failing_parts"):
        return []
    return [failing_part_from(row) for row in _rows(source, ALL_FAILING, {})]


def read_orphans(source: Source, backend: str) -> OrphanCount | None:
    """Return the last count of orphans, or None if there is no count or no database.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "listings"):
        return None
    row = _row(source, LAST_COUNT, {"backend": backend})
    return count_from(row) if row else None


def read_reported_costs(source: Source, backend: str) -> ReportedCosts | None:
    """Return the costs that a backend reported, or None if there are none or no database.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "told_costs"):
        return None
    row = _row(source, REPORTED_BY, {"backend": backend})
    return reported_from(row) if row else None


def list_kept_files(source: Source) -> list[KeptFile]:
    """List the files that the database records as kept, or return [] without a database.

    Blocks. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "kept_files"):
        return []
    return [file_from(row) for row in _rows(source, ALL_KEPT, {})]


def list_access_settings(source: Source) -> list[AuditEntry]:
    """List the operator's access settings, each with its last change.

    The list is empty if there is no database. Blocks the thread. Raises StorageError if the
    database can't be read.
    """
    if not _has_table(source, "access_settings"):
        return []
    rows = _rows(source, _ACCESS, {"scope": EVERYWHERE})
    return [AuditEntry(**dict(row)) for row in rows]


def list_audit(source: Source, *, limit: int) -> list[AuditEntry]:
    """List the last changes to the operator's access settings, newest first.

    The list is empty if there is no database. Blocks the thread. Raises StorageError if the
    database can't be read.
    """
    if not _has_table(source, "access_audit"):
        return []
    rows = _rows(source, NEWEST, {"scope": EVERYWHERE, "limit": limit})
    return [AuditEntry(**dict(row)) for row in rows]


def read_spending(source: Source, month: str, *, limit: int) -> MonthSpending:
    """Read the spending of a month. If there is no database or no ledger, the spending is empty.

    Blocks the thread. Raises StorageError if the database can't be read.
    """
    if not _has_table(source, "ledger_sums"):
        return spending_from(month, days=[], servers=[], persons=[])
    params: dict[str, str | int] = {"month": month, "limit": limit}
    return spending_from(
        month,
        days=_rows(source, DAYS, days_of(month)),
        servers=_rows(source, SERVERS, params),
        persons=_rows(source, PERSONS, params),
    )


def _has_table(source: Source, name: str) -> bool:
    """Return whether a table exists. The database of an earlier version may lack it."""
    sql = _HAS_TABLE_POSTGRES if isinstance(source, str) else _HAS_TABLE_SQLITE
    return _row(source, sql, {"name": name}) is not None


def _job(row: Row) -> Job:
    try:
        return job_from(row)
    except (IndexError, KeyError, ValueError) as error:
        raise StartupError(
            "DATA_DIR: the database is from another version of Clapper; start the bot once with "
            "this version, then try again."
        ) from error


def _row(source: Source, sql: str, params: Mapping[str, str]) -> Row | None:
    return next(iter(_rows(source, sql, params)), None)


def _rows(source: Source, sql: str, params: Mapping[str, str | int]) -> Sequence[Row]:
    if isinstance(source, str):
        try:
            from storage.postgres.reading import read_rows  # noqa: PLC0415 - only PostgreSQL needs asyncpg
        except ImportError as error:
            raise StorageError(NO_DRIVER) from error

        return read_rows(source, sql, params)
    path = source.absolute() / "clapper.db"
    if not path.exists():
        return []
    uri = f"{path.as_uri()}?mode=ro"
    with storage_errors(), closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, params).fetchall()
