from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.server import FakeDiscord
from tests.support.bot_process import open_bot

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_provider_that_does_not_answer_is_logged_once_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "discord").mkdir()
    async with FakeDiscord(tmp_path / "discord") as fake_discord:
        environment = {
            "DISCORD_TOKEN": fake_discord.token,
            "DISCORD_API_URL": fake_discord.url,
            "DATA_DIR": str(tmp_path / "data"),
            "HTTP_PORT": "0",
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        }
        async with open_bot(environment, "bot", "run") as bot:
            await bot.logged("backend.unusable")
            await bot.logged("discord.ready")
            await bot.logged("bot.running advice='type /video in Discord")
            assert await bot.terminate() == 0
    [told] = [line for line in bot.lines if "backend.unusable" in line]
    assert "no answer from http://127.0.0.1:9/v1" in told
    assert "correct OPENAI_BASE_URL" in told
