"""Runs the bot with its API and metrics as a process, and acts as its clients and provider."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from benchmarks.environment import SECRET, run_module
from benchmarks.memory import MemorySampler, Peak
from bot.demo.fake_discord.server import FakeDiscord
from tests.support.providers.videos_api import VideosApi
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

TIMEOUT = 180.0  # seconds
_METRICS = "the-token-of-the-metrics"
_LAG = "clapper_event_loop_lag_seconds "
_BLOCKED = "moderation_blocked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """The bot's peak memory in a phase, and the longest `lag` of its event loop in seconds."""

    name: str
    peak: Peak
    lag: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiEnvironment:
    """A bot that is ready, with its provider `videos_api` and the names of its clients."""

    pid: int
    url: str
    videos_api: VideosApi
    http: aiohttp.ClientSession
    clients: Sequence[str]

    def headers(self, client: str) -> dict[str, str]:
        """Return the headers of a client's requests."""
        # Each client has an address of its own, as it would behind a reverse proxy.
        address = f"10.0.0.{self.clients.index(client) + 1}"
        return {"Authorization": f"Bearer {_token(client)}", "X-Forwarded-For": address}

    async def create_job(self, client: str, script: str) -> str:
        """Request a video as one of the clients; return the job's id."""
        async with self.http.post(
            f"{self.url}/api/generate",
            json={"scriptOrQuestion": script},
            headers=self.headers(client),
        ) as response:
            response.raise_for_status()
            job_id: str = (await response.json())["jobId"]
            return job_id

    async def share_url(self, client: str, job_id: str) -> str | None:
        """Return the share link of a client's video, or None if the video is not ready."""
        async with self.http.post(
            f"{self.url}/api/share", params={"jobId": job_id}, headers=self.headers(client)
        ) as response:
            if response.status == HTTPStatus.CONFLICT:
                return None
            response.raise_for_status()
            url: str = (await response.json())["url"]
            return url

    async def wait_for_remote_jobs(self, count: int) -> dict[str, str]:
        """Wait until the provider has `count` jobs; return their ids by prompt."""
        async with asyncio.timeout(TIMEOUT):
            while len(self.videos_api.jobs) < count:
                await asyncio.sleep(0.05)
        return {job["prompt"]: ref for ref, job in self.videos_api.jobs.items()}

    async def end_job(self, ref: str, *, fails: bool = False) -> float:
        """End a job at the provider and send its webhook; return the time of its end."""
        if fails:
            self.videos_api.fail(ref, _BLOCKED, "Your request was blocked.")
        else:
            self.videos_api.finish(ref)
        ended = time.perf_counter()
        await self.videos_api.send_webhook(ref)
        return ended

    async def read_lag(self) -> float:
        """Read the event loop's longest lag since the previous reading."""
        headers = {"Authorization": f"Bearer {_METRICS}"}
        async with self.http.get(f"{self.url}/metrics", headers=headers) as response:
            response.raise_for_status()
            lines = (await response.text()).splitlines()
        return float(next(line for line in lines if line.startswith(_LAG)).removeprefix(_LAG))

    @asynccontextmanager
    async def measure_phase(self, name: str, phases: list[Phase]) -> AsyncGenerator[None]:
        """Measure the bot during the block, and append the result to `phases`."""
        await self.read_lag()
        with (sampler := MemorySampler(self.pid)):
            yield
        phases.append(Phase(name=name, peak=sampler.peak, lag=await self.read_lag()))


def _token(client: str) -> str:
    return f"the-token-of-{client}-in-the-benchmark"


@asynccontextmanager
async def open_api_environment(
    folder: Path, clip: Path, clients: Sequence[str]
) -> AsyncGenerator[ApiEnvironment]:
    """Start the bot and the stand-ins; every job returns `clip` until `videos_api.clip` changes."""
    (folder / "discord").mkdir(parents=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        fake_discord = await stack.enter_async_context(FakeDiscord(folder / "discord"))
        videos_api = await stack.enter_async_context(
            VideosApi(
                clip=clip,
                webhook_url=f"{url}/api/webhook/video-events",
                webhook_secret=SECRET,
            )
        )
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        variables = {
            "DATA_DIR": str(folder / "data"),
            "HTTP_PORT": str(port),
            "PUBLIC_URL": url,
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": videos_api.base_url,
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "PROMPT_WRITER": "off",  # because jobs are identified by their prompts
            "API_TOKEN": ",".join(f"{name}:{_token(name)}" for name in clients),
            "METRICS_TOKEN": _METRICS,
            "MAX_JOBS": "1000",
            "MAX_JOBS_PER_USER": "1000",
            "MAX_JOBS_PER_DAY": "1000",
            "DISCORD_TOKEN": fake_discord.token,
            "DISCORD_API_URL": fake_discord.url,
        }
        bot = await stack.enter_async_context(
            run_module(folder / "bot.log", variables, ("bot", "run"))
        )
        await fake_discord.wait_for_bot(within=TIMEOUT)
        yield ApiEnvironment(
            pid=bot.pid, url=url, videos_api=videos_api, http=http, clients=clients
        )
