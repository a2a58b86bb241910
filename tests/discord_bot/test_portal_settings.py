"""Settings in the Developer Portal that keep the bot from working, and what is not ours there."""

from __future__ import annotations

import logging
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import logs
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.server import FakeDiscord
from bot.discord_bot.application_settings import portal_problems
from bot.discord_bot.bot import VideoBot
from bot.discord_bot.login import log_in
from bot.errors import DeliveryError, StartupError
from bot.moderation.access.place import Reach
from tests.support.desk import make_services, open_desk
from tests.support.examined import look
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.commands.checks.findings import Finding
    from tests.support.desk import Desk
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

SYNCED = "PUT /applications/{application_id}/commands"
LAUNCH: dict[str, Any] = {
    "id": "55",
    "application_id": "66",
    "version": "77",
    "type": 4,
    "name": "launch",
    "name_localizations": None,
    "description": "",
    "handler": 2,
    "default_member_permissions": "32",
    "integration_types": [0, 1],
    "contexts": [0, 1, 2],
}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def start_again(desk: Desk) -> None:
    async with VideoBot(desk.bot.services) as bot:
        await log_in(bot, desk.fake_discord.token, api_url=desk.fake_discord.url)


async def test_an_entry_point_command_is_kept_and_is_no_difference(desk: Desk) -> None:
    world = desk.fake_discord.world
    world.commands.append(LAUNCH)
    await start_again(desk)
    assert len(desk.made(SYNCED)) == 1
    changed = world.commands[0]["name"]
    world.commands[0]["description"] = "Something else"
    await start_again(desk)
    assert len(desk.made(SYNCED)) == 2
    assert changed in {command["name"] for command in world.commands}
    [kept] = [command for command in world.commands if command["type"] == 4]
    names = ("id", "name", "handler", "contexts", "integration_types")
    assert [kept[name] for name in names] == [LAUNCH[name] for name in names]
    assert kept["default_member_permissions"] == 32


async def test_a_command_of_a_type_to_come_is_kept_too_and_a_stale_one_of_ours_is_not(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        world = desk.fake_discord.world
        world.commands.extend([LAUNCH | {"type": 9, "id": "56"}, LAUNCH | {"type": 2, "id": "57"}])
        await start_again(desk)
    assert {command["type"] for command in world.commands} == {1, 3, 9}


@pytest.mark.parametrize("answer", [[5], "commands", None, [{"type": [], "name": {}}]])
async def test_a_list_of_commands_that_cannot_be_read_is_no_reason_not_to_start(
    desk: Desk, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fake_discord.world.commands = answer
    await start_again(desk)
    assert "discord.commands_" in caplog.text


PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"interactions_endpoint_url": "https://example.com/x"}, "Interactions Endpoint URL"),
    ({"bot_require_code_grant": True}, "OAuth2 Code Grant"),
    ({"integration_types_config": {"0": {}}}, "User Install"),
    ({"integration_types_config": {"1": {}}}, "Guild Install"),
]


@pytest.fixture
async def bot(bench: Bench, clock: Clock) -> AsyncGenerator[VideoBot]:
    async with VideoBot(make_services(bench, clock)) as opened:
        yield opened


@pytest.mark.parametrize(("fields", "words"), PROBLEMS)
async def test_a_setting_that_keeps_the_bot_from_working_is_told_by_doctor_and_at_the_start(
    tmp_path: Path,
    bot: VideoBot,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, Any],
    words: str,
) -> None:
    async with FakeDiscord(tmp_path / "discord") as fake:
        fake.world.application_fields = fields
        found = await examined(fake, tmp_path)
        await log_in(bot, fake.token, api_url=fake.url)
    assert not found.ok
    assert words in found.found
    assert words in found.advice
    [warning] = [line for line in caplog.messages if line.startswith("discord.portal")]
    assert words in warning


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"bot_public": False, "flags": 0},
        {"interactions_endpoint_url": None, "integration_types_config": {"0": {}, "1": {}}},
        {"interactions_endpoint_url": "", "integration_types_config": {}},
        {"integration_types_config": None},
    ],
)
async def test_settings_that_do_no_harm_are_fine(tmp_path: Path, fields: dict[str, Any]) -> None:
    async with FakeDiscord(tmp_path / "discord") as fake:
        fake.world.application_fields = fields
        found = await examined(fake, tmp_path)
    assert (found.ok, found.found) == (True, "no problems found")


async def test_an_application_that_cannot_be_read_leaves_the_token_accepted(
    tmp_path: Path,
) -> None:
    async with FakeDiscord(tmp_path / "discord") as fake:
        fake.faults.add("GET /oauth2/*", api_errors.server_error(400), times=None)
        assert not (await examined(fake, tmp_path)).ok
        assert (await examined(fake, tmp_path, "DISCORD_TOKEN")).ok


def test_fields_of_other_types_are_ignored() -> None:
    odd = {"integration_types_config": 5, "bot_require_code_grant": "no", "bot_public": 1}
    assert portal_problems(odd, Reach(allowed_servers=frozenset({5}))) == []


WIDER: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"integration_types_config": {"0": {}, "1": {}}}, {"order_from": "servers"}, "User Install"),
    ({"integration_types_config": {"0": {}, "1": {}}}, {"order_from": "dms"}, "User Install"),
    ({"bot_public": True}, {"allowed_servers": "5"}, "Public Bot"),
]


@pytest.mark.parametrize(("fields", "settings", "words"), WIDER)
async def test_doctor_names_each_switch_that_is_wider_than_the_settings(
    tmp_path: Path, fields: dict[str, Any], settings: dict[str, str], words: str
) -> None:
    async with FakeDiscord(tmp_path / "discord") as fake:
        fake.world.application_fields = fields
        found = await examined(fake, tmp_path, **settings)
    assert not found.ok
    assert words in found.found
    assert words in found.advice


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({"integration_types_config": {"0": {}}}, {"order_from": "servers"}),
        ({"bot_public": False}, {"allowed_servers": "5"}),
        ({"bot_public": True}, {"allowed_servers": ""}),
    ],
)
async def test_switches_as_narrow_as_the_settings_fit(
    tmp_path: Path, fields: dict[str, Any], settings: dict[str, str]
) -> None:
    async with FakeDiscord(tmp_path / "discord") as fake:
        fake.world.application_fields = fields
        assert (await examined(fake, tmp_path, **settings)).ok


async def examined(
    fake: FakeDiscord, folder: Path, subject: str = "application", **settings: str
) -> Finding:
    values = {"discord_token": fake.token, "discord_api_url": fake.url, "order_from": "everywhere"}
    return await look(subject, folder, **(values | settings))


@pytest.mark.usefixtures("_own_logs")
def test_the_librarys_one_warning_about_the_application_is_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(level="INFO", style="text", secrets=())
    log = logging.getLogger("discord.client")
    log.warning("Application has an interaction endpoint URL set, this means ...")
    log.warning("PyNaCl is not installed, voice will NOT be supported")
    log.warning("davey is not installed, voice will NOT be supported")
    logged = capsys.readouterr().err
    assert "interaction endpoint URL" in logged
    assert "voice" not in logged


@pytest.fixture
def _own_logs() -> Any:
    root, client = logging.getLogger(), logging.getLogger("discord.client")
    before = (root.handlers[:], root.level, client.level)
    yield
    root.handlers[:], level, client_level = before
    root.setLevel(level)
    client.setLevel(client_level)
    for name in ("discord", "discord.gateway", "aiosqlite", "openai"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@asynccontextmanager
async def proxy(status: int, text: str, content_type: str) -> AsyncGenerator[str]:
    """Answer everything but /gateway as a server between the bot and Discord may."""

    async def respond(request: web.Request) -> web.Response:
        if request.path.endswith("/gateway"):
            return web.json_response({"url": "ws://127.0.0.1:1/"})
        return web.Response(status=status, text=text, content_type=content_type)

    site = web.Application()
    site.router.add_get("/{path:.*}", respond)
    async with TestServer(site) as server:
        yield str(server.make_url("/api"))


HTML = "<html><title>Access denied | discord.com used Cloudflare</title></html>"
BLOCKED, PROXY = "blocks requests from this address", "whether a proxy"
ANSWERS = [
    ("text/html", 403, HTML, BLOCKED),
    ("text/html", 429, HTML, BLOCKED),
    ("text/html", 404, HTML, "can't be reached"),
    ("text/html", 407, HTML, "can't be reached"),
    ("text/html", 200, HTML, PROXY),
    ("application/json", 200, "[]", PROXY),
    ("application/json", 200, "null", PROXY),
    ("application/json", 200, '{"id": "x"}', PROXY),
    ("application/json", 200, "{", PROXY),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
async def test_what_a_proxy_answers_at_the_login_is_one_sentence(
    tmp_path: Path, bot: VideoBot, answer: tuple[str, int, str, str]
) -> None:
    content_type, status, text, words = answer
    async with proxy(status, text, content_type) as url:
        for _ in range(2):
            with pytest.raises(DeliveryError, match=words) as caught:
                await log_in(bot, "token", api_url=url)
            assert re.fullmatch(r"[^\n<]+", str(caught.value))
        found = await look("DISCORD_TOKEN", tmp_path, discord_api_url=url)
    assert not found.ok
    assert words in found.advice
    assert "<" not in found.found + found.advice


async def test_a_token_that_is_refused_at_any_request_is_final(
    tmp_path: Path, bot: VideoBot
) -> None:
    async with FakeDiscord(tmp_path / "discord") as fake:
        for path in ("GET /users/@me", "GET /oauth2/*"):
            fake.faults.add(path, api_errors.UNAUTHORIZED)
            with pytest.raises(StartupError, match="refuses it"):
                await log_in(bot, fake.token, api_url=fake.url)


async def test_a_login_that_failed_halfway_can_be_repeated(
    tmp_path: Path, bot: VideoBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeDiscord(tmp_path / "discord") as fake:
        set_up = bot.setup_hook

        async def fail_at_the_end() -> None:
            await set_up()
            raise RuntimeError("a bug")

        with monkeypatch.context() as patches, pytest.raises(RuntimeError):
            patches.setattr(bot, "setup_hook", fail_at_the_end)
            await log_in(bot, fake.token, api_url=fake.url)
        await log_in(bot, fake.token, api_url=fake.url)
        assert fake.world.commands
