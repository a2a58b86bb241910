from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import pytest
import yarl

from bot.demo.fake_discord.server import FakeDiscord
from tests.support.schemas.discord_spec import check_all, check_message
from tests.support.scripted_bot import Bot, Clock, online

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake_discord(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(tmp_path, clock=clock) as fake_discord:
        monkeypatch.setattr(discord.http.Route, "BASE", fake_discord.url)
        gateway = yarl.URL(fake_discord.gateway_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        yield fake_discord
        check_all(fake_discord.history.requests)
        for message in fake_discord.history.messages:
            for version in message.versions:
                check_message(version.payload)


@pytest.fixture
async def bot(fake_discord: FakeDiscord) -> AsyncIterator[Bot]:
    async with online(fake_discord) as bot:
        yield bot
