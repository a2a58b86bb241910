"""Saves the tests the time in which each start of a bot does the same again.

All migrations together, each wait for the disk and each reading of the sentences take longer than
most tests.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import cache
from importlib.abc import Loader
from importlib.util import spec_from_loader
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import httpx2
from discord.ext.commands.bot import BotBase
from discord.state import ConnectionState

from bot.media.process import ffmpeg
from bot.prompts.reading import PromptReader
from bot.texts import Texts
from storage.sqlite import opening

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    import pytest

_NAMES = ("_PRAGMAS", "_make_private")
_REAL = {name: vars(opening)[name] for name in _NAMES}


def use_quick_starts() -> None:
    """Have this process copy new databases, never wait for the disk, and read each file once.

    It also examines each ffmpeg once, and executes the module of each extension once. Bots wait for
    a tenth of a second, and not for two, for servers that Discord has not announced.
    """
    for owner in (Texts, PromptReader):
        _call_once(owner, "load")
    _call_once(httpx2, "create_ssl_context")
    _use_copies()
    _examine_ffmpeg_once()
    _import_extensions_once()
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


class _Imported(Loader):
    """Loads a module that is already there."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        assert spec.name == self._module.__name__
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        assert module is self._module


def _import_extensions_once() -> None:
    # Every bot would execute the modules of all cogs again, and remove them from sys.modules at its
    # end, which takes as long as the rest of its start.
    parts = vars(BotBase)
    load_module = cast("Callable[..., Awaitable[None]]", parts["_load_from_module_spec"])

    async def load(bot: Any, spec: ModuleSpec, key: str) -> None:
        known = sys.modules.get(key)
        await load_module(bot, spec_from_loader(key, _Imported(known)) if known else spec, key)

    async def keep(bot: Any, _module: ModuleType, key: str) -> None:
        vars(bot)["_BotBase__extensions"].pop(key, None)

    for name, replacement in (("_load_from_module_spec", load), ("_call_module_finalizers", keep)):
        assert name in parts
        setattr(BotBase, name, replacement)


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
