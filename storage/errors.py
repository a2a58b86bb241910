"""The errors that database access raises, instead of SQLite's own."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_NOT_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


class StorageError(Exception):
    """The database failed. It is unknown whether the statement changed anything."""


class NotUniqueError(StorageError):
    """A unique index refused a row. Trying again would have the same result."""


@contextmanager
def storage_errors() -> Generator[None]:
    """Convert SQLite's errors to `StorageError`."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors that the driver itself raises have no code. The cause is left out, because it would
        # double the length of each traceback.
        if getattr(error, "sqlite_errorcode", None) in _NOT_UNIQUE:
            raise NotUniqueError(str(error)) from None
        raise StorageError(str(error)) from None
