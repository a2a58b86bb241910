"""Runs the whole bot on the files of an earlier version, as after an upgrade."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot import app, pacing
from bot.demo.fake_discord.server import FakeDiscord
from bot.settings.fields import load_settings
from tests.support.fakes.clock import Clock
from tests.support.old_install.install import install, post
from tests.support.wire import FAST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message

PUBLIC_URL = "https://clapper.example"
API_TOKEN = "a-token-of-the-old-version"
METRICS_TOKEN = "a-token-for-the-metrics"


@dataclass(frozen=True, kw_only=True)
class Running:
    """The whole bot on the old files, with its Discord, its HTTP server, and its DATA_DIR."""

    fake_discord: FakeDiscord
    http: aiohttp.ClientSession
    data: Path
    clock: Clock

    def job(self, job_id: str) -> dict[str, Any]:
        """Read a job's row."""
        return self.row("SELECT * FROM jobs WHERE id = ?", job_id)

    def row(self, sql: str, *params: str) -> dict[str, Any]:
        """Read one row of the database."""
        with closing(sqlite3.connect(self.data / "clapper.db")) as connection:
            connection.row_factory = sqlite3.Row
            return dict(connection.execute(sql, params).fetchone())

    def card(self, message_id: int) -> Message:
        """Return a card that existed before the start."""
        return self.fake_discord.messages.find(message_id)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until a condition on the database is true. Meanwhile, the bot's clock runs.

        A delivery that meets an edit of its card is postponed by seconds.
        """
        async with asyncio.timeout(10):
            while not is_so():  # no event reports a commit
                await asyncio.sleep(0.02)
                self.clock.advance(0.02)


@asynccontextmanager
async def run_old_app(
    folder: Path,
    *,
    now: float,
    cards: Sequence[int] = (),
    dms: Sequence[str] = (),
) -> AsyncGenerator[Running]:
    """Start the bot on the old files, with their cards and DMs in Discord, at their own time."""
    clock, stop = Clock(now), asyncio.Event()
    folder.joinpath("discord").mkdir()
    data = install(folder, at=now)
    # The open jobs were postponed by hand, for longer than any step would do.
    with closing(sqlite3.connect(data / "clapper.db")) as connection, connection:
        connection.execute("UPDATE jobs SET next_at = min(next_at, ? + 300)", (now,))
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(time, "time", clock)  # the app is assembled with the machine's clock
        patches.setattr(pacing, "seconds_since_boot", clock)
        async with FakeDiscord(folder / "discord", clock=clock) as fake_discord:
            world = fake_discord.world
            for message_id in cards:
                card = post(fake_discord, {"text": ["a card"], "buttons": []})
                assert card.id == message_id, "the stand-in's ids are made in another way"
            for text in dms:
                fake_discord.messages.create(world.dm(world.user), world.bot, {"content": text})
            settings = load_settings(
                discord_token=fake_discord.token,
                discord_api_url=fake_discord.url,
                data_dir=data,
                http_port=free_port(),
                public_url=PUBLIC_URL,
                api_token=f"web:{API_TOKEN},other:{API_TOKEN}-2",
                metrics_token=METRICS_TOKEN,
            )
            bot = asyncio.create_task(app.run(settings, timing=FAST, stop=stop), name="bot")
            try:
                await fake_discord.wait_for_bot()
                url = f"http://127.0.0.1:{settings.http_port}"
                async with aiohttp.ClientSession(url) as http:
                    yield Running(fake_discord=fake_discord, http=http, data=data, clock=clock)
            finally:
                stop.set()
                await bot
