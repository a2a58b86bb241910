"""Checks whether the PostgreSQL database can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding, without_password
from storage.errors import StorageError
from storage.snapshot import read_version

if TYPE_CHECKING:
    from storage.database import Source


def examine_database(source: Source) -> Finding:
    """Report the kind of the database and, for PostgreSQL, its version and address.

    The password is left out of the address. Reads the database, and so blocks the event loop.
    """
    subject = "database"
    if not isinstance(source, str):
        return Finding(subject=subject, ok=True, found="SQLite, in DATA_DIR")
    address = without_password(source).partition("?")[0]
    try:
        version = read_version(source)
    except StorageError as error:
        return Finding(
            subject=subject,
            ok=False,
            found=f"{address}: {error}",
            advice="check DATABASE_URL, and that PostgreSQL runs",
        )
    return Finding(subject=subject, ok=True, found=f"PostgreSQL {version}, {address}")
