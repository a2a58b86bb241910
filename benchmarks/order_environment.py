"""Runs the bot as a process, with stand-ins for Discord and the provider in this process."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.environment import SECRET, run_module
from bot.demo.fake_discord.server import FakeDiscord
from tests.support.providers.videos_api import VideosApi
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message

START_TIMEOUT = 120.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderEnvironment:
    """A bot that is ready, with its Discord stand-in and its provider `videos_api`."""

    pid: int
    webhook_url: str
    fake_discord: FakeDiscord
    videos_api: VideosApi


@asynccontextmanager
async def open_order_environment(
    folder: Path,
    *,
    clip: Path | None = None,
    has_rate_limits: bool = False,
    max_jobs: int = 1000,
    on_message: Callable[[Message], None] | None = None,
) -> AsyncGenerator[OrderEnvironment]:
    """Start the processes; the folder may contain the data of an earlier bot."""
    folder.mkdir(exist_ok=True)
    (folder / "discord").mkdir()
    port = free_port()
    webhook_url = f"http://127.0.0.1:{port}/api/webhook/video-events"
    videos_api = VideosApi(clip=clip, webhook_url=webhook_url, webhook_secret=SECRET)
    async with AsyncExitStack() as stack:
        fake_discord = await stack.enter_async_context(
            FakeDiscord(folder / "discord", on_message=on_message)
        )
        fake_discord.rates.enforced = has_rate_limits
        await stack.enter_async_context(videos_api)
        variables = {
            "DATA_DIR": str(folder / "data"),
            "HTTP_PORT": str(port),
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": videos_api.base_url,
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "PROMPT_WRITER": "off",  # because jobs are identified by their prompts
            "MAX_JOBS": str(max_jobs),
            "MAX_JOBS_PER_DAY": str(max_jobs),
            "MAX_JOBS_PER_USER_DAY": str(max_jobs),
            "DISCORD_TOKEN": fake_discord.token,
            "DISCORD_API_URL": fake_discord.url,
        }
        bot = await stack.enter_async_context(
            run_module(folder / "bot.log", variables, ("bot", "run"))
        )
        await fake_discord.wait_for_bot(within=START_TIMEOUT)
        yield OrderEnvironment(
            pid=bot.pid, webhook_url=webhook_url, fake_discord=fake_discord, videos_api=videos_api
        )
