"""Migrates the schema of a PostgreSQL database."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StartupError

if TYPE_CHECKING:
    import asyncpg

log = logging.getLogger(__name__)

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('schema'), hashtext(current_schema()))"
_CREATE_NUMBER = "CREATE TABLE IF NOT EXISTS schema_number (number BIGINT NOT NULL)"
_READ_NUMBER = "SELECT max(number) FROM schema_number"
_WRITE_NUMBER = "INSERT INTO schema_number (number) VALUES ($1)"


async def migrate(connection: asyncpg.Executor) -> None:
    """Run the migrations that the database lacks, in one transaction."""
    scripts = migrations()
    async with connection.transaction():
        # If several processes start at the same time, only one of them migrates.
        await connection.execute(_LOCK)
        await connection.execute(_CREATE_NUMBER)
        number: int = await connection.fetchval(_READ_NUMBER) or 0
        known = max(scripts)
        if number > known:
            raise StartupError(
                f"DATABASE_URL: the database is from a newer Clapper (schema {number}, this one "
                f"supports {known}): start the newer one again."
            )
        pending = [script for each, script in sorted(scripts.items()) if each > number]
        for script in pending:
            await connection.execute(script)
        if pending:
            await connection.execute(_WRITE_NUMBER, known)
            log.info("database.migrated schema=%d", known)


def newest() -> int:
    """Return the number of the last migration. Blocks."""
    return max(migrations())


def migrations() -> dict[int, str]:
    """Read the migrations, by number. SQLite's migrations have the same numbers. Blocks."""
    folder = Path(__file__).parent / "migrations"
    paths = folder.glob("[0-9]*.sql")
    return {int(path.name.split("_")[0]): path.read_text(encoding="utf-8") for path in paths}
