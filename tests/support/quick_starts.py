"""Saves the tests the time in which each start of a bot does the same again.

All migrations together, each wait for the disk and each reading of the sentences take longer than
most tests.
"""

from __future__ import annotations

import asyncio
import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import httpx2
from discord.state import ConnectionState

from bot.media.process import ffmpeg
from bot.prompts.reading import PromptReader
from bot.texts import Texts
from storage.sqlite import opening

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest

_NAMES = ("_PRAGMAS", "_make_private")
_REAL = {name: vars(opening)[name] for name in _NAMES}


def use_quick_starts() -> None:
    """Have this process copy new databases, never wait for the disk, and read each file once.

    It also examines each ffmpeg once. Bots wait for a tenth of a second, and not for two, for
    servers that Discord has not announced.
    """
    for owner in (Texts, PromptReader):
        _call_once(owner, "load")
    _call_once(httpx2, "create_ssl_context")
    _use_copies()
    _examine_ffmpeg_once()
    _be_ready_soon()
    os.fsync = _trust


def _call_once(owner: object, name: str) -> None:
    setattr(owner, name, cache(getattr(owner, name)))


def _use_copies() -> None:
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


def _examine_ffmpeg_once() -> None:
    parts = vars(ffmpeg)
    is_suitable = cast("Callable[[str], Awaitable[bool]]", parts["_is_suitable"])
    known = dict[str, bool]()

    async def is_known_as_suitable(binary: str) -> bool:
        if binary not in known:
            known[binary] = await is_suitable(binary)
        return known[binary]

    parts["_is_suitable"] = is_known_as_suitable


def _be_ready_soon() -> None:
    create = ConnectionState.__init__

    def create_hasty(state: Any, *args: Any, **options: Any) -> None:
        create(state, *args, **{"guild_ready_timeout": 0.1} | options)

    ConnectionState.__init__ = create_hasty


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
