"""Tests the command line: its start, its refusals to start and its stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession

from bot import __version__
from bot.__main__ import main
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.server import FakeDiscord
from tests.support.command_line import WITHIN, end, group_is_empty, run_bot, start
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.command_line import Ended
    from tests.support.forks import Process

TOKEN = "MTIz.abc.def"


@pytest.fixture
async def fake_discord(tmp_path: Path) -> AsyncGenerator[FakeDiscord]:
    folder = tmp_path / "discord"
    folder.mkdir()
    async with FakeDiscord(folder) as opened:
        yield opened


@pytest.fixture
def here(tmp_path: Path, _empty_environment: None) -> Path:
    """Return the folder without `.env` in which the bot starts."""
    return tmp_path


async def refused(folder: Path, **environment: str) -> Ended:
    """Run a bot that must refuse to start."""
    common = {"DISCORD_TOKEN": TOKEN, "HTTP_PORT": "0", "LOG_LEVEL": "ERROR"}
    return await run_bot(folder, "run", **(common | environment))


async def start_against(fake_discord: FakeDiscord, folder: Path) -> Process:
    """Start a bot that logs only errors."""
    return await start(
        folder,
        "run",
        DISCORD_TOKEN=fake_discord.token,
        DISCORD_API_URL=fake_discord.url,
        HTTP_PORT="0",
        LOG_LEVEL="ERROR",
    )


def assert_one_sentence(ended: Ended, *words: str) -> None:
    """Check that the only output is a sentence for the operator with these words."""
    assert ended.code == 2, ended
    assert ended.out == ""
    [sentence] = ended.err.splitlines()
    assert sentence.endswith(".")
    for word in words:
        assert word in sentence


async def test_without_a_token_one_sentence_names_it(tmp_path: Path) -> None:
    assert_one_sentence(await run_bot(tmp_path, "run"), "DISCORD_TOKEN", "Developer Portal")


async def test_an_invalid_setting_is_refused_in_one_sentence(tmp_path: Path) -> None:
    ended = await refused(tmp_path, VIDEO_SECONDS="eight")
    assert_one_sentence(ended, "VIDEO_SECONDS", ".env.example")


@pytest.mark.parametrize(
    "setting",
    [
        "DISCORD_TOKEN=two words",
        "DISCORD_API_URL=discord.com",
        "HTTP_PORT=99999",
        "PUBLIC_URL=clapper.example",
        "VIDEO_BACKEND=magic",
        "VIDEO_MODEL=" + "m" * 201,
        "VIDEO_SECONDS=0",
        "VIDEO_SIZE=big",
        "OPENAI_API_KEY=two words",
        "OPENAI_BASE_URL=localhost",
        "SECRET_KEY=short",
        "MAX_JOBS=none",
        "MAX_AUDIO_MB=1e9",
        "JOB_DEADLINE_MINUTES=nan",
        "LOG_LEVEL=loud",
        "LOG_FORMAT=xml",
    ],
)
def test_run_refuses_an_invalid_setting_in_one_sentence_and_doctor_has_a_row_for_it(
    here: Path, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    name, _, value = setting.partition("=")
    # In .env a value may contain any characters.
    (here / ".env").write_text(f"DISCORD_TOKEN={TOKEN}\n{name}='{value}'\n")
    assert main(["run"]) == 2
    printed = capsys.readouterr()
    [sentence] = printed.err.splitlines()
    assert sentence.startswith(f"{name}: ")
    assert printed.out == ""
    assert main(["doctor"]) == 1
    printed = capsys.readouterr()
    row, rest = printed.out.splitlines()
    assert row.split() == ["!!", *sentence.replace(f"{name}:", name).split()]
    assert rest == "Fix these first: the other checks depend on them."
    assert printed.err == ""
    assert not (here / "data").exists()


def test_doctor_has_a_row_for_each_setting_that_keeps_it_from_the_rest(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "hunter2")
    monkeypatch.setenv("VIDEO_BACKEND", "openai")
    assert main(["doctor"]) == 1
    *rows, _ = capsys.readouterr().out.splitlines()
    names = ["METRICS_TOKEN", "DISCORD_TOKEN", "OPENAI_BASE_URL"]
    assert [row.split()[:2] for row in rows] == [["!!", name] for name in names]
    assert "hunter2" not in "".join(rows)
    assert not (here / "data").exists()


def test_demo_and_storyboard_refuse_invalid_settings_too(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    for command in ("demo", "storyboard"):
        assert main([command]) == 2
        assert capsys.readouterr().err.startswith("LOG_LEVEL: ")
    assert not list(here.glob("**/*.db"))


def test_an_unknown_command_is_answered_with_the_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in ([], ["fly"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
        assert "usage: python -m bot" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in ("run", "demo", "doctor", "storyboard"))


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"Clapper {__version__}\n"


async def test_a_refused_token_is_one_sentence_that_does_not_repeat_it(
    tmp_path: Path, fake_discord: FakeDiscord
) -> None:
    ended = await refused(tmp_path, DISCORD_API_URL=fake_discord.url)
    assert_one_sentence(ended, "DISCORD_TOKEN", "refuses")
    assert TOKEN not in ended.err


@pytest.mark.parametrize(("token", "is_reported"), [("hello", True), (TOKEN, False)])
async def test_a_token_of_the_wrong_shape_is_reported_at_the_start_and_tried_anyway(
    tmp_path: Path, fake_discord: FakeDiscord, token: str, *, is_reported: bool
) -> None:
    ended = await refused(
        tmp_path, DISCORD_TOKEN=token, DISCORD_API_URL=fake_discord.url, LOG_LEVEL="WARNING"
    )
    assert ended.code == 2
    assert ("settings.token_shape" in ended.err) is is_reported
    assert ("copy it again: a token has three parts" in ended.err) is is_reported
    assert "hello" not in ended.err
    assert ended.err.splitlines()[-1].startswith("DISCORD_TOKEN: Discord refuses it")


async def test_an_unreachable_discord_is_named_in_the_log_and_tried_again(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/api/v10"
    process = await start(
        tmp_path,
        "run",
        DISCORD_TOKEN=TOKEN,
        DISCORD_API_URL=url,
        HTTP_PORT="0",
        LOG_LEVEL="WARNING",
    )
    assert process.stderr is not None
    async with asyncio.timeout(WITHIN):
        while b"discord.unreachable" not in (line := await process.stderr.readline()):
            assert line
    assert url in line.decode()
    process.send_signal(signal.SIGTERM)
    assert (await end(process)).code == 0


async def test_a_port_in_use_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        ended = await refused(tmp_path, HTTP_PORT=port)
    assert_one_sentence(ended, "HTTP_PORT", port)


async def test_a_data_dir_that_is_a_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    ended = await refused(tmp_path)
    assert_one_sentence(ended, "DATA_DIR")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
async def test_ctrl_c_and_a_closed_terminal_end_the_bot_in_order(
    tmp_path: Path, fake_discord: FakeDiscord, number: signal.Signals
) -> None:
    process = await start_against(fake_discord, tmp_path)
    await fake_discord.wait_for_bot(within=WITHIN)
    process.send_signal(number)
    ended = await end(process)
    assert (ended.code, ended.err) == (0, "")
    assert group_is_empty(process)


async def test_a_signal_ends_a_bot_that_still_waits_for_discord(
    tmp_path: Path, fake_discord: FakeDiscord
) -> None:
    fake_discord.faults.add("GET /users/@me", held := faults.Hold())
    process = await start_against(fake_discord, tmp_path)
    async with asyncio.timeout(WITHIN):
        await held.reached.wait()
    process.send_signal(signal.SIGTERM)
    ended = await end(process)
    held.release.set()
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
async def test_the_renderer_alone_serves_until_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = await start(tmp_path, "storyboard", "--port", "0")
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN):
        for expected in ("OPENAI_BASE_URL", "STORYBOARD_URL"):
            name, _, url = (await process.stdout.readline()).decode().strip().partition("=")
            assert name == expected
    async with ClientSession() as session, session.get(f"{url}/videos") as answer:
        assert (await answer.json())["data"] == []
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    process.send_signal(number)
    assert (await end(process)).code == 0


def test_ctrl_c_before_the_start_shows_no_traceback(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def add_arguments(self, _: object) -> None:
            """Declare no options."""

        def run(self, _: object) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr("bot.commands.doctor.Doctor", Interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == ""
    assert here.exists()
