"""Reads a PostgreSQL database while a bot may be running, without writing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg

from storage.postgres.errors import postgres_errors
from storage.postgres.statements import for_postgres

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.database import Row

_SESSION = {"application_name": "clapper", "default_transaction_read_only": "on"}
_SECONDS = 10.0


def read_rows(url: str, sql: str, params: Mapping[str, Any]) -> Sequence[Row]:
    """Run one statement on a connection of its own, and return all its rows. Blocks.

    Raises StorageError if the database can't be read.
    """
    return asyncio.run(_read(url, sql, params))


async def _read(url: str, sql: str, params: Mapping[str, Any]) -> Sequence[Row]:
    query, values = for_postgres(sql, params)
    with postgres_errors():
        connection = await asyncpg.connect(url, timeout=_SECONDS, server_settings=_SESSION)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()
