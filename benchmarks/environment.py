"""Runs the bot and a provider as separate processes, and the Discord stand-in in this process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp

from bot.demo.fake_discord.server import FakeDiscord
from bot.demo.fake_discord.uploads import Upload
from tests.support.providers.videos_api import sign
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from bot.demo.fake_discord.state.message import Message

ROOT = Path(__file__).parents[1]
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBiZW5jaA=="  # noqa: S105 - signs only the stand-in's webhooks
# In seconds.
_TIMEOUT = 60.0
_RENDERING = 0.5
_POLL_INTERVAL = 0.05
_STOP_TIMEOUT = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveredVideo:
    """A delivered video: its `url` if it was linked, its `size` if it was uploaded.

    `seconds`: the seconds from the provider's webhook to the card with the video. Without a
    provider, they are measured from the response to the command.
    """

    url: str | None
    size: int | None
    seconds: float


class Provider:
    """A Videos API server that returns the same clip for every job."""

    def __init__(self, base_url: str, history: Path, webhook_url: str) -> None:
        self.base_url = base_url
        self._history = history
        self._webhook_url = webhook_url
        self._handled = 0

    async def finish_next(self, http: aiohttp.ClientSession) -> float:
        """Wait until the next job is completed, and send its webhook; return the sending time."""
        async with asyncio.timeout(_TIMEOUT):
            ref = await self._next_create()
            while not await self._is_completed(http, ref):
                await asyncio.sleep(_POLL_INTERVAL)
        event = {"type": "video.completed", "created_at": int(time.time()), "data": {"id": ref}}
        body = json.dumps(event).encode()
        headers = sign(SECRET, f"wh_{uuid4().hex}", int(time.time()), body)
        sent = time.perf_counter()
        async with http.post(self._webhook_url, data=body, headers=headers) as response:
            response.raise_for_status()
        return sent

    async def _next_create(self) -> str:
        while len(lines := await asyncio.to_thread(self._creates)) <= self._handled:
            await asyncio.sleep(_POLL_INTERVAL)
        self._handled += 1
        ref: str = json.loads(lines[self._handled - 1])["id"]
        return ref

    def _creates(self) -> list[str]:
        return self._history.read_text().splitlines() if self._history.exists() else []

    async def _is_completed(self, http: aiohttp.ClientSession, ref: str) -> bool:
        async with http.get(f"{self.base_url}/videos/{ref}") as response:
            answer = await response.json()
        return bool(answer["status"] == "completed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """A bot that is ready, with its Discord stand-in and its provider."""

    pid: int
    port: int
    fake_discord: FakeDiscord
    provider: Provider | None
    http: aiohttp.ClientSession

    async def request_video(self, narration: Path | None = None) -> DeliveredVideo:
        """Type `/video`, and wait for the video and the DM."""
        options: dict[str, str | Upload] = {"prompt": "Explain how rainbows form"}
        if narration is not None:
            options["audio"] = Upload(
                filename=narration.name, content=narration, content_type="audio/wav"
            )
        interaction = await self.fake_discord.slash("video", options)
        message = await self.fake_discord.answer_to(interaction, within=_TIMEOUT)
        started = time.perf_counter()
        if self.provider is not None:
            started = await self.provider.finish_next(self.http)
        await self.fake_discord.wait_for(
            lambda: message.files or _link_urls(message), within=_TIMEOUT
        )
        seconds = time.perf_counter() - started
        await self.fake_discord.wait_for(lambda: self._has_dm_about(message), within=_TIMEOUT)
        return DeliveredVideo(
            url=next(iter(_link_urls(message)), None),
            size=message.files[0].size if message.files else None,
            seconds=seconds,
        )

    def _has_dm_about(self, message: Message) -> bool:
        return any(str(message.id) in dm.text for dm in self.fake_discord.dms())


@asynccontextmanager
async def open_environment(
    folder: Path,
    *,
    clip: Path | None,
    upload_limit: int,
    with_links: bool = False,
    api_token: str = "",
) -> AsyncGenerator[Environment]:
    """Start the processes; without a `clip`, the bot uses its storyboard renderer."""
    folder.mkdir()
    (folder / "discord").mkdir()
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    variables = {
        "DATA_DIR": str(folder / "data"),
        "HTTP_PORT": str(port),
        "PUBLIC_URL": base_url if with_links else "",
        "VIDEO_BACKEND": "openai" if clip else "storyboard",
        "OPENAI_WEBHOOK_SECRET": SECRET,
        "MAX_JOBS_PER_USER": "10",
        "MAX_JOBS_PER_USER_DAY": "1000",
        "API_TOKEN": api_token,
    }
    async with AsyncExitStack() as stack:
        fake_discord = await stack.enter_async_context(FakeDiscord(folder / "discord"))
        fake_discord.limits.upload_bytes = fake_discord.limits.announced_bytes = upload_limit
        http = await stack.enter_async_context(aiohttp.ClientSession())
        provider = None
        if clip is not None:
            webhook_url = f"{base_url}/api/webhook/video-events"
            provider = await stack.enter_async_context(_open_provider(folder, clip, webhook_url))
            variables["OPENAI_BASE_URL"] = provider.base_url
        variables |= {"DISCORD_TOKEN": fake_discord.token, "DISCORD_API_URL": fake_discord.url}
        log = folder / "bot.log"
        bot = await stack.enter_async_context(run_module(log, variables, ("bot", "run")))
        try:
            await fake_discord.wait_for_bot(within=_TIMEOUT)
            yield Environment(
                pid=bot.pid, port=port, fake_discord=fake_discord, provider=provider, http=http
            )
        except Exception as error:  # any, because it is raised again with the log
            error.add_note(f"The bot's log ends with:\n{_tail(log)}")
            raise


@asynccontextmanager
async def _open_provider(folder: Path, clip: Path, webhook_url: str) -> AsyncGenerator[Provider]:
    log, history, port = folder / "provider.log", folder / "creates.jsonl", free_port()
    command = [
        "tests.support.providers.videos_api",
        f"--port={port}",
        f"--clip={clip}",
        f"--history={history}",
        f"--seconds={_RENDERING}",
    ]
    async with run_module(log, {}, command):
        provider = Provider(f"http://127.0.0.1:{port}/v1", history, webhook_url)
        async with asyncio.timeout(_TIMEOUT):
            await _wait_for_answer(provider.base_url)
        yield provider


async def _wait_for_answer(base_url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{base_url}/videos"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(_POLL_INTERVAL)


@asynccontextmanager
async def run_module(
    log: Path, variables: Mapping[str, str], module: Sequence[str]
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run `python -m` with `module` in a folder without .env, and stop it as Ctrl-C does."""
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *module,
            cwd=log.parent,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
            stdout=output,
            stderr=output,
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


def _link_urls(message: Message) -> list[str]:
    return [part["url"] for part in message.components if part.get("url")]


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
