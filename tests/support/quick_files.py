"""Saves the tests the time that only a power cut and the first start of a bot make useful.

All migrations together, and each wait for the disk, take longer than most tests.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from storage.sqlite import opening

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_NAMES = ("_PRAGMAS", "_make_private")
_REAL = {name: vars(opening)[name] for name in _NAMES}


def use_quick_files() -> None:
    """Have this process copy new databases from a migrated one, and never wait for the disk."""
    content = asyncio.run(_migrated())
    parts = vars(opening)
    scripts = parts["_migrations"]
    make_private = cast("Callable[[Path], None]", parts["_make_private"])

    def copy(path: Path) -> None:
        make_private(path)
        # A test that chooses its own migrations starts from an empty database.
        if path.is_file() and not path.stat().st_size and parts["_migrations"] is scripts:
            path.write_bytes(content)

    parts["_make_private"] = copy
    parts["_PRAGMAS"] = parts["_PRAGMAS"].replace("synchronous = FULL", "synchronous = OFF")
    os.fsync = _trust


def use_real_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the test open databases as the bot does."""
    for name, value in _REAL.items():
        monkeypatch.setattr(opening, name, value)


def _trust(_file: object) -> None:
    """Do nothing: the file is written unless the power fails."""


async def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        async with opening.open_sqlite(Path(folder)):
            pass
        return await asyncio.to_thread(Path(folder, "clapper.db").read_bytes)
