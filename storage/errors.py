"""The errors of the database, independent of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_NOT_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


class StorageError(Exception):
    """The database failed, and it is unknown whether the statement changed anything."""


class NotUniqueError(StorageError):
    """A unique index refused a row. A repetition would have the same result."""


@contextmanager
def storage_errors() -> Generator[None]:
    """Raise the errors of SQLite as `StorageError`."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors that the driver itself raises have no code. A chained cause would double each
        # traceback.
        if getattr(error, "sqlite_errorcode", None) in _NOT_UNIQUE:
            raise NotUniqueError(str(error)) from None
        raise StorageError(str(error)) from None
