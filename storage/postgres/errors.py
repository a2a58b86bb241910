"""Converts the errors of asyncpg to the errors of the storage package."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg

from storage.errors import NotUniqueError, StorageError

if TYPE_CHECKING:
    from collections.abc import Generator

#: The database has undone the transaction, so it can be repeated.
UNDONE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


@contextmanager
def postgres_errors() -> Generator[None]:
    """Convert the errors of asyncpg and of its connections to `StorageError`."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise NotUniqueError(_text(error)) from None
    except _FAILURES as error:
        raise StorageError(_text(error)) from None


def is_lost_connection(error: Exception) -> bool:
    """Tell whether an error means that the database could not be reached, or stopped answering."""
    return isinstance(
        error,
        OSError
        | asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.TooManyConnectionsError,
    ) or (isinstance(error, asyncpg.InterfaceError) and not isinstance(error, asyncpg.DataError))


def _text(error: Exception) -> str:
    """Return the message without its details. These may be a whole row, with a token."""
    text = error.args[0] if isinstance(error, asyncpg.PostgresError) and error.args else error
    return str(text) or type(error).__name__
