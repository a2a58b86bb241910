"""The fleet: two desks and two workers on a PostgreSQL and a bucket, between stand-ins."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.server import FakeDiscord
from tests.proofs.scale.bucket import open_bucket
from tests.proofs.scale.losses.orders import Orders
from tests.proofs.scale.losses.service_manager import ManagedProcess
from tests.support.media import clips
from tests.support.postgres import postgres_server
from tests.support.providers.videos_api import VideosApi
from tests.support.wire import SECRET, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.proofs.scale.bucket import Bucket
    from tests.support.postgres import PostgresServer

_MANY = "100000"
_SECONDS_PER_JOB = 4.0


@dataclass(kw_only=True)
class Fleet:
    """The processes by name, and what is around them."""

    folder: Path
    postgres: PostgresServer
    bucket: Bucket
    discord: FakeDiscord
    api: VideosApi
    orders: Orders
    processes: dict[str, ManagedProcess]

    async def active_desk(self, within: float = 90.0) -> ManagedProcess:
        """Wait until a desk is connected to Discord, and return it."""
        async with asyncio.timeout(within):
            while True:
                for name in ("desk", "standby"):
                    if await self.processes[name].status("/readyz") == 200:
                        return self.processes[name]
                await asyncio.sleep(0.05)

    def other_desk(self, desk: ManagedProcess) -> ManagedProcess:
        """Return the desk that is not active."""
        name = "standby" if desk.name == "desk" else "desk"
        return self.processes[name]


@asynccontextmanager
async def open_fleet(folder: Path, **settings: str) -> AsyncGenerator[Fleet]:
    """Start everything, and stop it after the block."""
    clip, port = folder / "provider.mp4", free_port()
    await asyncio.to_thread(clips.make_clip, clip, seconds=2, size="320x180")
    (folder / "discord").mkdir()
    api = VideosApi(
        clip=clip,
        seconds_per_job=_SECONDS_PER_JOB,
        webhook_url=f"http://127.0.0.1:{port}/api/webhook/video-events",
        webhook_secret=SECRET,
    )
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(postgres_server())
        bucket = stack.enter_context(open_bucket())
        discord = await stack.enter_async_context(FakeDiscord(folder / "discord"))
        await stack.enter_async_context(api)
        shared = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.url,
            "ORDER_FROM": "everywhere",
            "DATABASE_URL": await postgres.url_of(folder),
            "SECRET_KEY": "the secret key of the proof",
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": api.base_url,
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "PROMPT_WRITER": "off",
            "MAX_JOBS": "40",
            "MAX_QUEUE": _MANY,
            "MAX_JOBS_PER_DAY": _MANY,
            "MAX_JOBS_PER_USER_DAY": _MANY,
            **{name.upper(): value for name, value in bucket.settings.items()},
            **settings,
        }
        roles = {"desk": "desk", "standby": "desk", "worker1": "worker", "worker2": "worker"}
        processes = {
            name: ManagedProcess(name, role, folder, shared) for name, role in roles.items()
        }
        fleet = Fleet(
            folder=folder,
            postgres=postgres,
            bucket=bucket,
            discord=discord,
            api=api,
            orders=Orders(discord, api),
            processes=processes,
        )
        try:
            processes["desk"].start()
            await fleet.active_desk()
            for name in ("worker1", "worker2", "standby"):
                processes[name].start()
            for name in ("worker1", "worker2", "standby"):
                await processes[name].until("/healthz")
            yield fleet
        finally:
            await asyncio.gather(*(process.stop() for process in processes.values()))
