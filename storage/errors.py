"""The errors of the database, in words that name no particular database."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_NOT_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


class StorageError(Exception):
    """The database failed, and the statement changed nothing that can be relied on."""


class NotUniqueError(StorageError):
    """A unique index refused a row: an answer, which is the same each time, and not a failure."""


@contextmanager
def storage_errors() -> Generator[None]:
    """Raise the errors of SQLite as `StorageError`."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors that the driver itself raises have no code. The cause would double each traceback.
        if getattr(error, "sqlite_errorcode", None) in _NOT_UNIQUE:
            raise NotUniqueError(str(error)) from None
        raise StorageError(str(error)) from None
