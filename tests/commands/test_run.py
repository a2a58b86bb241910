from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot import app
from bot.__main__ import main
from bot.commands import run
from bot.demo.fake_discord.server import FakeDiscord
from tests.support.bot_process import open_bot

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings.fields import Settings


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
    [line] = [line for line in bot.lines if "backend.unusable" in line]
    assert "no answer from http://127.0.0.1:9/v1" in line
    assert "correct OPENAI_BASE_URL" in line


@pytest.mark.parametrize("code", [4004, 4014])
async def test_a_connection_that_discord_ends_for_good_is_a_sentence_and_exit_code_2(
    tmp_path: Path, code: int
) -> None:
    (tmp_path / "discord").mkdir()
    async with FakeDiscord(tmp_path / "discord") as fake_discord:
        environment = {
            "DISCORD_TOKEN": fake_discord.token,
            "DISCORD_API_URL": fake_discord.url,
            "DATA_DIR": str(tmp_path / "data"),
            "HTTP_PORT": "0",
        }
        async with open_bot(environment, "bot", "run", log_level="WARNING") as bot:
            await fake_discord.wait_for_bot()
            await fake_discord.gateway.drop(code)
            assert await asyncio.wait_for(bot.process.wait(), 30) == 2
    [sentence] = [line for line in bot.lines if "closed the connection for good" in line]
    assert f"(code {code})" in sentence
    assert not any("Traceback" in line for line in bot.lines)


@pytest.mark.usefixtures("_empty_environment")
def test_a_bug_in_the_check_of_the_provider_is_logged_and_the_bot_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    checked = asyncio.Event()

    async def examine(_: Settings) -> None:
        checked.set()
        raise ZeroDivisionError

    async def run_until_checked(_: Settings, **_options: object) -> None:
        await checked.wait()

    (tmp_path / ".env").write_text("DISCORD_TOKEN=a.b.c\n", encoding="utf-8")
    monkeypatch.setattr(run, "examine_backend", examine)
    monkeypatch.setattr(app, "run", run_until_checked)
    monkeypatch.setattr("bot.logs.logging.basicConfig", lambda **_: None)
    assert main(["run"]) == 0
    [logged] = [record for record in caplog.records if "backend.check_failed" in record.message]
    assert logged.exc_info is not None
    assert logged.exc_info[0] is ZeroDivisionError
