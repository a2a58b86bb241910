"""Runs the whole bot between a fake Discord and a fake Videos API, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from bot import app
from bot.demo.fake_discord.server import FakeDiscord
from bot.demo.fake_discord.uploads import Upload
from bot.pacing import EditIntervals, LookupDelays, PollIntervals
from bot.runtime.timing import Timing
from bot.settings.fields import load_settings
from tests.support.media import clips
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from bot.settings.fields import Settings

SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
FAST = Timing(
    lookup_delays=LookupDelays(first=0.05, interval=0.05),
    poll_intervals=PollIntervals(first=0.05, growth=1.0, ceiling=0.05),
    edit_intervals=EditIntervals(state=0.0, first_minute=0.0),
    acknowledge=2.0,
    login_pause=0.05,
    restart_pause=0.01,
    clock_check=0.2,
)
WITHIN = 15.0
_PORTS = (12_000, 32_000)


@dataclass(kw_only=True)
class Wire:
    """Both fake servers, and a bot that can be stopped and started between them."""

    fake_discord: FakeDiscord
    api: VideosApi
    folder: Path
    clip: Path
    port: int
    overrides: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def settings(self, **overrides: Any) -> Settings:
        values = {
            "discord_token": self.fake_discord.token,
            "discord_api_url": self.fake_discord.url,
            "data_dir": self.data_dir,
            "http_port": self.port,
            "video_backend": "openai",
            "openai_base_url": self.api.base_url,
            "openai_webhook_secret": SECRET,
            "public_url": "",
            "order_from": "everywhere",
        }
        return load_settings(**(values | self.overrides | overrides))

    @asynccontextmanager
    async def bot(
        self, *, timing: Timing = FAST, **overrides: Any
    ) -> AsyncGenerator[asyncio.Task[None]]:
        """Run the bot in a task, which is yielded; after the block, stop it as SIGTERM does."""
        stop = asyncio.Event()
        before = self.fake_discord.gateway.identified
        task = asyncio.create_task(
            app.run(self.settings(**overrides), timing=timing, stop=stop), name="bot"
        )
        try:
            connected = asyncio.create_task(self._connected(before), name="connected")
            await asyncio.wait({task, connected}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                connected.cancel()
                task.result()
            await connected
            yield task
        finally:
            stop.set()
            await task

    async def _connected(self, before: int) -> None:
        await self.fake_discord.wait_for_bot(after=before, within=WITHIN)

    async def video(self, prompt: str, audio: Path | None = None, **where: Any) -> Message:
        """Type `/video`, and return the message with the bot's answer."""
        interaction = await self.type(prompt, audio, **where)
        return await self.fake_discord.answer_to(interaction)

    async def type(self, prompt: str, audio: Path | None = None, **where: Any) -> Interaction:
        options: dict[str, Any] = {"prompt": prompt}
        if audio is not None:
            options["audio"] = Upload(filename=audio.name, content=audio, content_type="audio/wav")
        return await self.fake_discord.slash("video", options, **where)

    async def wait_for_card_text(self, message: Message, text: str) -> None:
        """Wait until the card contains this text."""
        await self.fake_discord.wait_for(lambda: text in message.text, within=WITHIN)

    async def wait_for_video(self, message: Message) -> None:
        """Wait until the message has a video."""
        await self.fake_discord.wait_for(lambda: message.files, within=WITHIN)

    async def wait_for_job(self, state: str = "succeeded") -> None:
        """Wait until every job is in this state with no step due."""
        async with asyncio.timeout(WITHIN):
            while not await self._is_settled(state):  # noqa: ASYNC110 - commits of the bot send no event here
                await asyncio.sleep(0.02)

    async def _is_settled(self, state: str) -> bool:
        rows = await asyncio.to_thread(self.rows)
        return all(row == (state, None) for row in rows)

    def rows(self) -> list[tuple[str, float | None]]:
        sql = "SELECT state, next_at FROM jobs ORDER BY created_at"
        if url := self.overrides.get("database_url"):
            # asyncpg is not among the libraries of the browser proof.
            from storage.postgres.reading import read_rows  # noqa: PLC0415

            return [(row["state"], row["next_at"]) for row in read_rows(url, sql, {})]
        return query(self.data_dir, sql)

    def events(self) -> list[str]:
        found = query(self.data_dir, "SELECT to_state FROM job_events ORDER BY rowid")
        return [state for (state,) in found]

    async def stored_clip(self) -> str:
        """Create a finished clip at the provider, and return its URL."""
        async with aiohttp.ClientSession() as session:
            url = f"{self.api.base_url}/videos"
            async with session.post(url, data={"prompt": "a clip"}) as response:
                ref = (await response.json())["id"]
        self.api.finish(ref)
        return f"{url}/{ref}/content"

    def creates(self) -> int:
        return len(self.api.made("POST", "/videos"))


def query(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    """Read the database beside the running bot, as an operator may."""
    uri = f"{(data_dir / 'clapper.db').absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute(sql).fetchall()


def free_port() -> int:
    """Return a free port for a process that starts later.

    It is below the ephemeral ports, so no other socket is bound to it by chance.
    """
    while True:
        port = random.randrange(*_PORTS)  # noqa: S311 - not a secret
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@asynccontextmanager
async def open_wire(
    folder: Path, *, seconds_per_job: float | None = 0.1, **overrides: Any
) -> AsyncGenerator[Wire]:
    """Start both fake servers; `seconds_per_job`: None: the test finishes each remote job."""
    clip = folder / "provider.mp4"
    await asyncio.to_thread(clips.make_clip, clip, seconds=2, size="320x180")
    (folder / "discord").mkdir()
    port = free_port()
    api = VideosApi(
        clip=clip,
        seconds_per_job=seconds_per_job,
        webhook_url=f"http://127.0.0.1:{port}/api/webhook/video-events",
        webhook_secret=SECRET,
    )
    async with FakeDiscord(folder / "discord") as fake_discord, api:
        yield Wire(
            fake_discord=fake_discord,
            api=api,
            folder=folder,
            clip=clip,
            port=port,
            overrides=overrides,
        )


def button(message: Message, label: str) -> str:
    for component in message.components:
        if component.get("label", "").startswith(label):
            return component["custom_id"]
    raise AssertionError(f"no button {label} on {message.text}")
