"""The bot in a process of its own, with a provider in another, and Discord's stand-in in this."""

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
from tests.videos_api import sign
from tests.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from bot.demo.fake_discord.state.message import Message

ROOT = Path(__file__).parents[1]
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBiZW5jaA=="  # noqa: S105 - it guards nothing
_WITHIN = 60.0
_RENDERING = 0.5
_LOOK = 0.05
_END = 30.0
_STALLED = "a stand-in or the bot did not get on"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A video that came; `url` is where it is linked to, if it was not uploaded.

    `seconds` lie between the provider's webhook, or else the command, and the card that has it.
    """

    url: str | None
    size: int | None
    seconds: float


class Provider:
    """A Videos API server that renders nothing: every job becomes the same clip."""

    def __init__(self, base_url: str, history: Path, webhook_url: str) -> None:
        self.base_url = base_url
        self._history = history
        self._webhook_url = webhook_url
        self._seen = 0

    async def finish_next(self, http: aiohttp.ClientSession) -> float:
        """Wait for the next job's end, and return the moment at which its webhook was sent."""
        async with asyncio.timeout(_WITHIN):
            ref = await self._next_create()
            while not await self._is_completed(http, ref):
                await asyncio.sleep(_LOOK)
        event = {"type": "video.completed", "created_at": int(time.time()), "data": {"id": ref}}
        body = json.dumps(event).encode()
        headers = sign(SECRET, f"wh_{uuid4().hex}", int(time.time()), body)
        sent = time.perf_counter()
        async with http.post(self._webhook_url, data=body, headers=headers) as response:
            response.raise_for_status()
        return sent

    async def _next_create(self) -> str:
        while len(lines := await asyncio.to_thread(self._creates)) <= self._seen:
            await asyncio.sleep(_LOOK)
        self._seen += 1
        ref: str = json.loads(lines[self._seen - 1])["id"]
        return ref

    def _creates(self) -> list[str]:
        return self._history.read_text().splitlines() if self._history.exists() else []

    async def _is_completed(self, http: aiohttp.ClientSession, ref: str) -> bool:
        async with http.get(f"{self.base_url}/videos/{ref}") as response:
            answer = await response.json()
        return bool(answer["status"] == "completed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rig:
    """A bot that is ready, and what it stands between."""

    pid: int
    fake_discord: FakeDiscord
    provider: Provider | None
    http: aiohttp.ClientSession

    async def video(self, narration: Path | None = None) -> Delivered:
        """Type `/video`, and wait for the video and for the DM."""
        options: dict[str, str | Upload] = {"prompt": "Explain how rainbows form"}
        if narration is not None:
            options["audio"] = Upload(
                filename=narration.name, content=narration, content_type="audio/wav"
            )
        interaction = await self.fake_discord.slash("video", options)
        message = await self.fake_discord.answer_to(interaction, within=_WITHIN)
        began = time.perf_counter()
        if self.provider is not None:
            began = await self.provider.finish_next(self.http)
        await self.fake_discord.wait_for(lambda: message.files or _links(message), within=_WITHIN)
        seconds = time.perf_counter() - began
        await self.fake_discord.wait_for(lambda: self._was_told_of(message), within=_WITHIN)
        return Delivered(
            url=next(iter(_links(message)), None),
            size=message.files[0].size if message.files else None,
            seconds=seconds,
        )

    def _was_told_of(self, message: Message) -> bool:
        return any(str(message.id) in dm.text for dm in self.fake_discord.dms())


@asynccontextmanager
async def open_rig(
    folder: Path, *, clip: Path | None, upload_limit: int, with_links: bool = False
) -> AsyncGenerator[Rig]:
    """Start everything; without a `clip` the bot renders storyboards by itself."""
    folder.mkdir()
    (folder / "discord").mkdir()
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    environment = {
        "DATA_DIR": str(folder / "data"),
        "HTTP_PORT": str(port),
        "PUBLIC_URL": here if with_links else "",
        "VIDEO_BACKEND": "openai" if clip else "storyboard",
        "OPENAI_WEBHOOK_SECRET": SECRET,
        "MAX_JOBS_PER_USER": "10",
    }
    async with AsyncExitStack() as stack:
        fake_discord = await stack.enter_async_context(FakeDiscord(folder / "discord"))
        fake_discord.limits.upload_bytes = fake_discord.limits.announced_bytes = upload_limit
        http = await stack.enter_async_context(aiohttp.ClientSession())
        provider = None
        if clip is not None:
            webhook_url = f"{here}/api/webhook/video-events"
            provider = await stack.enter_async_context(_open_provider(folder, clip, webhook_url))
            environment["OPENAI_BASE_URL"] = provider.base_url
        environment |= {"DISCORD_TOKEN": fake_discord.token, "DISCORD_API_URL": fake_discord.url}
        log = folder / "bot.log"
        bot = await stack.enter_async_context(process(log, environment, ("bot", "run")))
        try:
            await fake_discord.wait_for_bot(within=_WITHIN)
            yield Rig(pid=bot.pid, fake_discord=fake_discord, provider=provider, http=http)
        except Exception as error:  # whatever it was, the log says more
            raise RuntimeError(f"{_STALLED}; its log ends:\n{_tail(log)}") from error


@asynccontextmanager
async def _open_provider(folder: Path, clip: Path, webhook_url: str) -> AsyncGenerator[Provider]:
    log, history, port = folder / "provider.log", folder / "creates.jsonl", free_port()
    command = ("tests.videos_api", "--port", str(port), "--clip", str(clip))
    options = ("--history", str(history), "--seconds", str(_RENDERING))
    async with process(log, {}, (*command, *options)):
        provider = Provider(f"http://127.0.0.1:{port}/v1", history, webhook_url)
        async with asyncio.timeout(_WITHIN):
            await _answers(provider.base_url)
        yield provider


async def _answers(base_url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{base_url}/videos"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(_LOOK)


@asynccontextmanager
async def process(
    log: Path, environment: Mapping[str, str], module: Sequence[str]
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a module of ours where no .env lies; at the end it is stopped as by an operator."""
    with log.open("wb") as sink:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *module),
            cwd=log.parent,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
            stdout=sink,
            stderr=sink,
        )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_END):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


def _links(message: Message) -> list[str]:
    return [part["url"] for part in message.components if part.get("url")]


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
