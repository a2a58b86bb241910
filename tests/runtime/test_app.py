"""Tests the login to Discord or to another server at DISCORD_API_URL, and the start of the app."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot import app
from bot.backends.capabilities import STORYBOARD
from bot.backends.openai_videos import OpenAIVideos
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.server import FakeDiscord
from bot.discord_bot.bot import VideoBot
from bot.discord_bot.login import log_in
from bot.errors import ClapperError, DeliveryError, StartupError
from bot.media.files.download import attachment_hosts
from bot.pacing import PollIntervals
from bot.runtime.timing import LOCAL, REMOTE, WITH_WEBHOOKS, timing_for
from bot.settings.fields import load_settings
from tests.support.desk import make_services
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.clock import Clock
from tests.support.wire import FAST, SECRET, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from tests.support.fakes.bench import Bench


@asynccontextmanager
async def answering(text: str, *, status: int = 200) -> AsyncGenerator[str]:
    """Serve one JSON answer on every path."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(text=text, status=status)

    site = web.Application()
    site.router.add_get("/{path:.*}", answer)
    async with TestServer(site) as server:
        yield str(server.make_url("/api"))


@pytest.fixture
async def bot(bench: Bench, clock: Clock) -> AsyncGenerator[VideoBot]:
    async with VideoBot(make_services(bench, clock)) as opened:
        yield opened


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        None,
        "wss://gateway.example",
        {"url": 5},
        {"url": ["wss://gateway.example"]},
        {"url": "https://gateway.example"},
        {"url": "wss://"},
        {"url": "wss://gateway.example:port"},
    ],
    ids=json.dumps,
)
async def test_json_that_discord_would_not_send_is_refused(bot: VideoBot, answer: object) -> None:
    before = (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)
    async with answering(json.dumps(answer)) as url:
        with pytest.raises(StartupError, match=r"^DISCORD_API_URL: .* does not answer like"):
            await log_in(bot, "token", api_url=url)
    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)


@pytest.mark.parametrize("answer", ["", "<html></html>", "{"])
async def test_an_answer_that_is_not_json_is_refused(bot: VideoBot, answer: str) -> None:
    async with answering(answer) as url:
        with pytest.raises(StartupError, match=r"^DISCORD_API_URL: "):
            await log_in(bot, "token", api_url=url)


async def refusal_of(token: str, error: type[ClapperError]) -> str:
    """Log in at discord.py's default address, and return the error's sentence."""
    async with discord.Client(intents=discord.Intents.none()) as client:
        with pytest.raises(error) as caught:
            await log_in(client, token, api_url="")
    return str(caught.value)


async def test_an_unreachable_discord_is_distinguished_from_a_refused_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeDiscord(tmp_path) as fake_discord:
        monkeypatch.setattr(Route, "BASE", fake_discord.url)
        fake_discord.faults.add("GET /users/@me", api_errors.server_error(503))
        down = await refusal_of(fake_discord.token, DeliveryError)
        assert "can't be reached (DiscordServerError)" in down
        refused = await refusal_of("not.the.token", StartupError)
        assert "Discord refuses it" in refused
        assert "not.the.token" not in refused
    gone = await refusal_of(fake_discord.token, DeliveryError)
    assert "can't be reached (ClientConnectorError)" in gone


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_server_in_place_of_discord_may_be_temporarily_down(
    bot: VideoBot, status: int
) -> None:
    async with answering("{}", status=status) as url:
        with pytest.raises(DeliveryError, match=f"answers {status}"):
            await log_in(bot, "token", api_url=url)
    with pytest.raises(DeliveryError, match="can't be reached"):
        await log_in(bot, "token", api_url=url)


async def test_a_login_succeeds_after_failed_attempts(
    bot: VideoBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeDiscord(tmp_path) as fake_discord:
        monkeypatch.setattr(Route, "BASE", fake_discord.url)
        broken = api_errors.server_error(400)
        fake_discord.faults.add("GET /users/@me", broken, times=2)
        fake_discord.faults.add("GET /oauth2/applications/@me", broken, times=1)
        for _ in range(3):
            with pytest.raises(DeliveryError):
                await log_in(bot, fake_discord.token, api_url="")
        await log_in(bot, fake_discord.token, api_url="")
        assert bot.user is not None


async def test_a_bot_in_no_server_logs_once_how_to_invite_it(
    bot: VideoBot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot")
    async with FakeDiscord(tmp_path) as fake_discord:
        fake_discord.world.guilds.clear()
        await log_in(bot, fake_discord.token, api_url=fake_discord.url)
        gateway = asyncio.create_task(bot.connect(), name="gateway")
        await fake_discord.wait_for_bot()
        await bot.wait_until_ready()
        gateway.cancel()
        await asyncio.gather(gateway, return_exceptions=True)
        await bot.on_ready()  # as after a session that could not be resumed
        assert sum(line.startswith("discord.ready") for line in caplog.messages) == 2
        [line] = [line for line in caplog.messages if line.startswith("discord.no_server")]
        assert f"client_id={fake_discord.world.application_id}&scope=bot+app" in line
        assert "permissions=274878008320" in line


@pytest.fixture
async def start(tmp_path: Path) -> AsyncGenerator[Callable[..., Awaitable[None]]]:
    """Return a function that starts the whole bot; without overrides Discord refuses the token."""
    folder = tmp_path / "discord"
    folder.mkdir()
    async with FakeDiscord(folder) as fake_discord:

        async def start(**overrides: Any) -> None:
            values = {
                "discord_token": "MTIz.abc.def",
                "discord_api_url": fake_discord.url,
                "data_dir": tmp_path / "data",
                "http_port": 0,
            }
            await app.run(load_settings(**(values | overrides)), timing=FAST)

        yield start


async def test_a_refused_start_leaves_nothing_behind(start: Callable[..., Awaitable[None]]) -> None:
    before = asyncio.all_tasks()
    for _ in range(2):  # the folder is free again
        with pytest.raises(StartupError, match="DISCORD_TOKEN"):
            await start()
    assert asyncio.all_tasks() == before


async def test_a_budget_without_a_known_price_is_refused_at_the_start(
    start: Callable[..., Awaitable[None]],
) -> None:
    openai = {"video_backend": "openai", "openai_base_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(StartupError, match=r"^PRICE_PER_CLIP is missing.* PRICE_PER_SECOND"):
        await start(budget_month=5, **openai)
    with pytest.raises(StartupError, match="DISCORD_TOKEN"):
        await start(budget_month=5, price_per_second=0.1, **openai)
    voice = {"narration_backend": "openai", "narration_base_url": "http://127.0.0.1:9/v1"}
    with pytest.raises(StartupError, match=r"^PRICE_PER_NARRATION is missing.*, or to 0 if"):
        await start(budget_day=5, **voice)
    writer = {
        "prompt_writer": "openai",
        "prompt_base_url": "http://127.0.0.1:9/v1",
        "prompt_model": "a model",
        "price_per_clip": 1,
        "price_per_narration": 0,
    }
    with pytest.raises(StartupError, match=r"^PRICE_PER_PROMPT is missing.*, or to 0 if"):
        await start(budget_day=5, **openai, **voice, **writer)
    with pytest.raises(StartupError, match="DISCORD_TOKEN"):  # the storyboard has no writer
        await start(budget_day=5, **voice, **writer)


async def test_a_size_that_the_renderer_cannot_draw_is_refused_at_the_start(
    start: Callable[..., Awaitable[None]],
) -> None:
    with pytest.raises(StartupError, match=r"^VIDEO_SIZE: "):
        await start(video_size="9998x9998")
    with pytest.raises(StartupError, match="DISCORD_TOKEN"):  # a provider may draw it
        await start(
            video_size="9998x9998", video_backend="openai", openai_base_url="http://127.0.0.1:9/v1"
        )


async def test_the_renderers_webhooks_reach_a_server_that_listens_everywhere(
    tmp_path: Path,
) -> None:
    never = PollIntervals(first=600.0, growth=1.0, ceiling=600.0)
    async with (
        open_wire(tmp_path, video_backend="storyboard", video_size="320x180") as wire,
        wire.bot(timing=replace(FAST, poll_intervals=never), http_host="0.0.0.0", video_seconds=1),  # noqa: S104 - that is the case
    ):
        message = await wire.video("A cat")
        await wire.wait_for_video(message)
        await wire.wait_for_job()


def test_attachments_are_fetched_from_discord_or_from_the_fake_discord() -> None:
    assert attachment_hosts("") == {"https://cdn.discordapp.com", "https://media.discordapp.net"}
    assert attachment_hosts("http://127.0.0.1:9000/api/v10") == {"http://127.0.0.1:9000"}


async def test_the_timing_suits_the_backend() -> None:
    assert timing_for(FakeBackend(Clock(), capabilities=STORYBOARD)) == LOCAL
    for secrets, timing in (((), REMOTE), ((SECRET,), WITH_WEBHOOKS)):
        backend = OpenAIVideos(
            base_url="http://127.0.0.1:9/v1", api_key=None, webhook_secrets=secrets
        )
        assert timing_for(backend) == timing
        await backend.close()
