"""The bot with its API and its metrics in a process of its own, and the provider before it."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from benchmarks.environment import SECRET, process
from benchmarks.memory import Peak, Watch
from bot.demo.fake_discord.server import FakeDiscord
from tests.videos_api import VideosApi
from tests.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

WITHIN = 180.0
_METRICS = "the-token-of-the-metrics"
_LAG = "clapper_event_loop_lag_seconds "
_BLOCKED = "moderation_blocked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """What the bot took meanwhile: its memory, and the longest that its loop was late."""

    name: str
    peak: Peak
    lag: float


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """A bot that is ready, what its `clients` do, and the provider before it."""

    pid: int
    url: str
    api: VideosApi
    http: aiohttp.ClientSession
    clients: Sequence[str]

    def headers(self, client: str) -> dict[str, str]:
        """Return what a client sends with each request."""
        # Each comes from an address of its own, as behind a proxy.
        address = f"10.0.0.{self.clients.index(client) + 1}"
        return {"Authorization": f"Bearer {_token(client)}", "X-Forwarded-For": address}

    async def order(self, client: str, script: str) -> str:
        """Order a video as one of the clients; return the job's id."""
        async with self.http.post(
            f"{self.url}/api/generate",
            json={"scriptOrQuestion": script},
            headers=self.headers(client),
        ) as response:
            response.raise_for_status()
            job_id: str = (await response.json())["jobId"]
            return job_id

    async def shared(self, client: str, job_id: str) -> str | None:
        """Return the link to a client's video; None: it is not ready."""
        async with self.http.post(
            f"{self.url}/api/share", params={"jobId": job_id}, headers=self.headers(client)
        ) as response:
            if response.status == HTTPStatus.CONFLICT:
                return None
            response.raise_for_status()
            url: str = (await response.json())["url"]
            return url

    async def created(self, count: int) -> dict[str, str]:
        """Wait until so many jobs are at the provider; return their ids by prompt."""
        async with asyncio.timeout(WITHIN):
            while len(self.api.jobs) < count:
                await asyncio.sleep(0.05)
        return {job["prompt"]: ref for ref, job in self.api.jobs.items()}

    async def end(self, ref: str, *, fails: bool = False) -> float:
        """Let a job end, and say so; return the moment."""
        if fails:
            self.api.fail(ref, _BLOCKED, "Your request was blocked.")
        else:
            self.api.finish(ref)
        moment = time.perf_counter()
        await self.api.send_webhook(ref)
        return moment

    async def lag(self) -> float:
        """Read the longest that the loop was late since the last reading."""
        headers = {"Authorization": f"Bearer {_METRICS}"}
        async with self.http.get(f"{self.url}/metrics", headers=headers) as response:
            response.raise_for_status()
            lines = (await response.text()).splitlines()
        return float(next(line for line in lines if line.startswith(_LAG)).removeprefix(_LAG))

    @asynccontextmanager
    async def phase(self, name: str, phases: list[Phase]) -> AsyncGenerator[None]:
        """Watch what the bot takes meanwhile."""
        await self.lag()
        with (watch := Watch(self.pid)):
            yield
        phases.append(Phase(name=name, peak=watch.peak, lag=await self.lag()))


def _token(client: str) -> str:
    return f"the-token-of-{client}-in-the-bench"


@asynccontextmanager
async def open_house(folder: Path, clip: Path, clients: Sequence[str]) -> AsyncGenerator[House]:
    """Start it; each job becomes `clip`, until another is laid there."""
    (folder / "discord").mkdir(parents=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        fake_discord = await stack.enter_async_context(FakeDiscord(folder / "discord"))
        api = await stack.enter_async_context(
            VideosApi(
                clip=clip,
                webhook_url=f"{url}/api/webhook/video-events",
                webhook_secret=SECRET,
            )
        )
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        environment = {
            "DATA_DIR": str(folder / "data"),
            "HTTP_PORT": str(port),
            "PUBLIC_URL": url,
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": api.base_url,
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "PROMPT_WRITER": "off",  # jobs are told apart by their prompts
            "API_TOKEN": ",".join(f"{name}:{_token(name)}" for name in clients),
            "METRICS_TOKEN": _METRICS,
            "MAX_JOBS": "1000",
            "MAX_JOBS_PER_USER": "1000",
            "MAX_JOBS_PER_DAY": "1000",
            "DISCORD_TOKEN": fake_discord.token,
            "DISCORD_API_URL": fake_discord.url,
        }
        bot = await stack.enter_async_context(
            process(folder / "bot.log", environment, ("bot", "run"))
        )
        await fake_discord.wait_for_bot(within=WITHIN)
        yield House(pid=bot.pid, url=url, api=api, http=http, clients=clients)
