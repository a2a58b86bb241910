"""Defines the fixtures that most tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.demo.fake_discord.state import user as users
from bot.settings.fields import Settings
from tests.support.cards import MANAGE_MESSAGES
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.schemas import published

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

collect_ignore = [] if published.are_here() else ["repository/test_published.py"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
def _all_are_moderators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "PERMISSIONS", str(int(users.PERMISSIONS) | MANAGE_MESSAGES))
