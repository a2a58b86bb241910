"""A look at the database beside the running bot: it neither writes nor checkpoints."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def count_delivering(data_dir: Path) -> int | None:
    """Count the videos that are not handed over yet; None: no database yet.

    Blocks. sqlite3.Error: the file can't be read.
    """
    path = data_dir.absolute() / "clapper.db"
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM jobs WHERE state IN ('delivering', 'notifying')"
        ).fetchone()
    return int(row[0])
