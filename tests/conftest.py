"""Defines the fixtures that most tests share."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

import pytest

from bot import logs
from bot.demo.fake_discord.state import user as users
from bot.settings.fields import Settings
from tests.support.cards import MANAGE_MESSAGES
from tests.support.fakes import bench as benches
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.postgres import postgres_server
from tests.support.quick_starts import use_quick_starts
from tests.support.schemas import published

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

_LIBRARIES = ("discord", "httpx2", "httpcore2", "openai", "aiosqlite", "aiohttp")
_LOGGERS = (None, "discord.gateway", "discord.client", *_LIBRARIES)
# Collecting creates a million objects and frees few of them.
gc.disable()
collect_ignore = [] if published.are_here() else ["repository/test_published.py"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session", autouse=True)
def _quick_starts() -> None:
    use_quick_starts()


@pytest.fixture(scope="session")
def postgres() -> Generator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
async def _on_each_database(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[None]:
    """Have the test and the bench open SQLite, and once more have them open PostgreSQL."""
    if request.param == "sqlite":
        yield
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    for module in (request.module, benches):
        if hasattr(module, "open_database"):
            monkeypatch.setattr(module, "open_database", server.open)
    yield
    await server.empty_databases()


def pytest_collection_finish() -> None:
    # All tests are in memory until the end, so the garbage collector need not look at them again.
    gc.freeze()
    gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "_on_each_database" in metafunc.fixturenames:
        is_of_sqlite = any(metafunc.definition.iter_markers("sqlite"))
        has_database = "tmp_path" in metafunc.fixturenames and not is_of_sqlite
        databases = ["sqlite", "postgres"] if has_database else ["sqlite"]
        metafunc.parametrize("_on_each_database", databases, indirect=True)


@pytest.fixture
async def bench(tmp_path: Path, clock: Clock) -> AsyncGenerator[Bench]:
    async with open_bench(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment without settings, and in a folder without `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def _own_logging() -> Generator[None]:
    """Restore pytest's own logging after a test that configures the bot's in this process."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    for handler in loggers[0].handlers[:]:
        if any(isinstance(each, logs.Redactor) for each in handler.filters):
            loggers[0].removeHandler(handler)


@pytest.fixture
def _all_are_moderators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "PERMISSIONS", str(int(users.PERMISSIONS) | MANAGE_MESSAGES))
