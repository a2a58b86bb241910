"""The command `move`: moves everything from DATA_DIR to a PostgreSQL database and a bucket."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.commands.lasting_stream import LastingStream
from bot.errors import FileStoreError, StartupError
from bot.library.file_move import FileMove
from bot.links import load_secret, spelled_secret
from bot.runtime.log_setup import configure_logs
from bot.runtime.parts.file_store import open_bucket
from bot.settings.fields import load_settings
from bot.settings.types import database_url
from storage.database import open_database
from storage.errors import StorageError
from storage.files.data_folder import mark_moved

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from bot.media.files.stores.base import FileStore
    from bot.settings.fields import Settings
    from storage.database import Database

_SECRET_FILE = "secret.env"  # noqa: S105 - a name
_OPEN_JOBS = "SELECT id FROM jobs WHERE state NOT IN ('succeeded', 'failed', 'cancelled')"


class Move:
    """Moves the rows and the files of a bot that is stopped. Deletes nothing in DATA_DIR."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the option that names the database."""
        parser.add_argument(
            "--to",
            required=True,
            metavar="DATABASE_URL",
            help="an empty database: postgresql://user@host:5432/clapper; the password may be in "
            "PGPASSWORD instead",
        )

    def run(self, options: argparse.Namespace) -> int:
        """Move the files to the bucket of STORE_URL, and then the rows to the database."""
        settings = load_settings(database_url="")
        try:
            target = database_url(SecretStr(options.to))
        except ValueError as error:
            raise StartupError(f"--to: {error}.") from error
        # The password of the target must not appear in the log.
        configure_logs(settings.model_copy(update={"database_url": target}), level="WARNING")
        if not settings.store_url:
            raise StartupError(
                "STORE_URL is missing: with a PostgreSQL database, files are kept in a bucket. Set "
                "it to the bucket to which they are moved, like s3://bucket/prefix."
            )
        out = LastingStream(sys.stdout)
        asyncio.run(move(settings, target.get_secret_value(), open_bucket(settings), out))
        return 0


async def move(settings: Settings, url: str, store: FileStore, out: LastingStream) -> None:
    """Move everything, and print what was moved and what is left to do.

    Raises StartupError if the operator has to change something first. After the change, another run
    of the command continues the move.
    """
    if not await asyncio.to_thread((settings.data_dir / "clapper.db").exists):
        raise StartupError(f"DATA_DIR: there is no clapper.db in {settings.data_dir}.")
    try:
        async with AsyncExitStack() as stack:
            source = await stack.enter_async_context(open_database(settings.data_dir))
            # Opening the database creates its tables. Until it is closed, no other process can use
            # the database.
            await stack.enter_async_context(open_database(url))
            await _move(source, settings, url, store, out)
    except StorageError as error:
        raise StartupError(f"The rows were not moved: {error}.") from error
    except FileStoreError as error:
        raise StartupError(
            f"STORE_URL: not all files were moved, and no rows ({error}); run python -m bot "
            "doctor, then the same command again."
        ) from error


async def _move(
    source: Database, settings: Settings, url: str, store: FileStore, out: LastingStream
) -> None:
    # Only this command needs asyncpg.
    from storage.postgres.moving import RowMove  # noqa: PLC0415

    rows = RowMove(source, url)
    await rows.check()
    open_jobs = frozenset(row["id"] for row in await source.rows(_OPEN_JOBS, {}))
    out.write("Copying the files to the bucket, and comparing sizes and hashes ...\n")
    files = await FileMove(settings.data_dir, store, open_jobs=open_jobs).run()
    out.write(f"{files.files} files, of which {files.were_there} were there already.\n")
    out.write("Copying the rows in one transaction, and comparing counts and checksums ...\n")
    moved = await rows.run()
    await asyncio.to_thread(mark_moved, settings.data_dir)
    for name, number in sorted(moved.rows.items()):
        out.write(f"  {number:>9} {name}\n")
    if moved.were_there:
        out.write("All of these rows were there already.\n")
    for step in await asyncio.to_thread(_next_steps, settings, has_open=bool(open_jobs)):
        out.write(f"* {step}\n")


def _next_steps(settings: Settings, *, has_open: bool) -> Sequence[str]:
    """Return sentences that tell the operator what to do next.

    If the secret is only in a file, it is also written to a second file, as a setting.
    """
    steps = ["Set DATABASE_URL to the database.", _take_secret_along(settings)]
    if settings.video_backend == "storyboard":
        steps.append(
            "Run `python -m bot storyboard` with this DATA_DIR, which has the clips in progress, "
            "and set STORYBOARD_URL to the address that it prints."
        )
    if has_open:
        steps.append(
            f"Videos are in progress. If the bot will run on another machine, copy "
            f"{settings.data_dir / 'work'} into its DATA_DIR."
        )
    steps.append(
        f"Nothing was deleted in {settings.data_dir}. A bot without DATABASE_URL refuses to start "
        "there, because it would order the same videos again."
    )
    return steps


def _take_secret_along(settings: Settings) -> str:
    configured, file = settings.secret_key.get_secret_value(), settings.data_dir / "secret.key"
    if not file.exists() or (configured and load_secret(configured, file) == file.read_bytes()):
        return "Set the same SECRET_KEY as until now."
    path = settings.data_dir / _SECRET_FILE
    _write_private(path, f"SECRET_KEY={spelled_secret(load_secret('', file))}\n")
    step = f"Copy the line in {path} into .env on each machine, so that links stay valid"
    if configured:
        return f"If the bot has run without SECRET_KEY until now: {step[0].lower()}{step[1:]}."
    return f"{step}; then delete that file."


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
