"""Creates DATA_DIR, and locks it against a second process."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


_MOVED = "moved.txt"
_MOVED_NOTE = "`python -m bot move` moved the rows of clapper.db to a PostgreSQL database.\n"


class DataInUseError(StartupError):
    """Another process has the database open."""


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, to which only this user has access.

    Existing folders are left unchanged. Blocks the thread. Raises OSError if a folder can't be
    created.
    """
    for missing in reversed([path for path in folder.parents if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def make_data_folder(data_dir: Path) -> None:
    """Create DATA_DIR as a folder to which only this user has access.

    Blocks the thread. Raises StartupError if the folder can't be created.
    """
    try:
        make_folder(data_dir)
    except OSError as error:
        raise _not_writable(data_dir, error) from error


def refuse_moved(data_dir: Path) -> None:
    """Raise StartupError if the data in DATA_DIR was moved to another database.

    Without this check, two bots could order the same videos. Blocks the thread.
    """
    path = data_dir / _MOVED
    if path.exists():
        raise StartupError(
            "DATA_DIR: its data was moved to a PostgreSQL database, so set DATABASE_URL. To "
            f"continue with the data in DATA_DIR instead, delete {path}."
        )


def mark_moved(data_dir: Path) -> None:
    """Record that the data in DATA_DIR was moved to another database. Blocks the thread."""
    (data_dir / _MOVED).write_text(_MOVED_NOTE, encoding="utf-8")


@contextmanager
def exclusive(data_dir: Path) -> Generator[None]:
    """Keep other processes from using DATA_DIR until the end of the `with` block.

    Blocks the thread. Raises DataInUseError if another process is using DATA_DIR. Raises
    StartupError if the folder doesn't exist or is not writable.
    """
    try:
        handle = (data_dir / "clapper.lock").open("a")
    except OSError as error:
        raise _not_writable(data_dir, error) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataInUseError(
                f"Another Clapper is running with DATA_DIR={data_dir}: "
                "stop it, or give this one another folder."
            ) from error
        yield


def _not_writable(data_dir: Path, error: OSError) -> StartupError:
    return StartupError(
        f"DATA_DIR: {data_dir} is not writable ({error.strerror}); name another folder."
    )
