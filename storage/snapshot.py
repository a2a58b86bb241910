"""Reads the database beside a running bot, without writing and without a checkpoint."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from storage.jobs.circuits import circuit_from
from storage.jobs.listings import LAST_COUNT, count_from

if TYPE_CHECKING:
    from pathlib import Path

    from storage.jobs.circuits import Circuit
    from storage.jobs.listings import OrphanCount


def count_delivering(data_dir: Path) -> int | None:
    """Count the finished videos that are not delivered yet; None: there is no database yet.

    Blocks. sqlite3.Error: the database can't be read.
    """
    row = _row(data_dir, "SELECT count(*) FROM jobs WHERE state IN ('delivering', 'notifying')", {})
    return int(row[0]) if row else None


def read_circuit(data_dir: Path, backend: str) -> Circuit | None:
    """Read the circuit of a backend; None: it has none, or there is no database yet.

    Blocks. sqlite3.Error: the database can't be read.
    """
    if not _has_table(data_dir, "circuits"):
        return None
    row = _row(data_dir, "SELECT * FROM circuits WHERE backend = :backend", {"backend": backend})
    return circuit_from(row) if row else None


def read_orphans(data_dir: Path, backend: str) -> OrphanCount | None:
    """Read the last count of orphans; None: nothing was counted, or there is no database yet.

    Blocks. sqlite3.Error: the database can't be read.
    """
    if not _has_table(data_dir, "listings"):
        return None
    row = _row(data_dir, LAST_COUNT, {"backend": backend})
    return count_from(row) if row else None


def _has_table(data_dir: Path, name: str) -> bool:
    """Return False for a schema of an earlier version, too."""
    sql = "SELECT 1 FROM sqlite_master WHERE name = :name"
    return _row(data_dir, sql, {"name": name}) is not None


def _row(data_dir: Path, sql: str, params: dict[str, str]) -> sqlite3.Row | None:
    path = data_dir.absolute() / "clapper.db"
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, params).fetchone()
