"""Measures downloads and WebSocket messages under load: 20 downloads, 200 sockets, 500 jobs."""

from __future__ import annotations

import asyncio
import contextlib
import math
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from benchmarks.api_environment import TIMEOUT, ApiEnvironment, Phase, open_api_environment
from benchmarks.downloads import Source, download_all
from benchmarks.environment import run_module
from benchmarks.memory import Memory, measure_memory
from benchmarks.subscribers import Subscriber, open_subscriber
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

_CLIENTS = tuple(f"client-{number}" for number in range(10))
_SHARING_CLIENT = "sharing-client"
_SOCKETS = 20  # per client: the bot's limit
_JOBS = 50  # per client: the bot's limit of subscriptions per socket
_CONNECTIONS, _RANGES, _ROUNDS = 20, 4, 3
_FAILURE_INTERVAL = 10  # every tenth job fails
# In seconds.
_ALL_JOBS_END_WITHIN = 60.0
_SETTLING = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadTimes:
    """The seconds of each round until every connection had received the whole file."""

    server: str
    seconds: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpLoadResult:
    """The bot's memory and lag in each phase, the download times, and the messages that arrived.

    `expected`, `received`: the numbers of final states, one per socket and job.
    `late_messages`: the number of messages that arrived after a final state.
    `closed_sockets`: the number of sockets that the bot closed.
    `delays`: the seconds from the provider's webhook to each subscriber's final state.
    """

    idle: Memory
    phases: tuple[Phase, ...]
    after: Memory
    downloads: tuple[DownloadTimes, ...]
    expected: int
    received: int
    late_messages: int
    closed_sockets: int
    delays: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the delays."""
        return statistics.median(self.delays)

    @property
    def percentile_95(self) -> float:
        """The 95th percentile of the delays, by the nearest-rank method."""
        return sorted(self.delays)[math.ceil(0.95 * len(self.delays)) - 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """A job: its client and id in the API, and the script that identifies it at the provider."""

    client: str
    id: str
    script: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """The status with which a job ended at the provider, and the time of its webhook."""

    status: str
    time: float


async def run_http_load(folder: Path, large: Path, small: Path) -> HttpLoadResult:
    """Download `large` over all connections, while subscribed jobs end with the clip `small`."""
    phases: list[Phase] = []
    async with (
        open_api_environment(folder, large, (*_CLIENTS, _SHARING_CLIENT)) as environment,
        _open_bare_aiohttp(folder, large) as aiohttp_source,
    ):
        await asyncio.sleep(_SETTLING)
        idle = measure_memory(environment.pid)
        source = Source(url=await _share_video(environment), path=large)
        environment.videos_api.clip = small
        async with environment.measure_phase("20 downloads", phases):
            idle_times, aiohttp_times = await _download_alternately(source, aiohttp_source)
        jobs = await _create_jobs(environment)
        async with _open_subscribers(environment, jobs) as subscribers:
            async with environment.measure_phase("200 sockets subscribe to 50 jobs each", phases):
                await asyncio.gather(*(each.subscribe() for each in subscribers))
            name = "jobs end, with 20 downloads and 200 subscribed sockets"
            async with environment.measure_phase(name, phases):
                ends, busy_times = await asyncio.gather(
                    _end_jobs(environment, jobs), _download_rounds(source)
                )
                await _wait_for_final_states(subscribers)
            await asyncio.sleep(_SETTLING)  # until any late messages have arrived
            closed_sockets = sum(each.is_closed for each in subscribers)
        await asyncio.sleep(_SETTLING)
        after = measure_memory(environment.pid)
    arrivals = [
        (ends[job_id], status, arrived)
        for each in subscribers
        for job_id, (status, arrived) in each.final_states.items()
    ]
    return HttpLoadResult(
        idle=idle,
        phases=tuple(phases),
        after=after,
        downloads=(
            DownloadTimes(server="aiohttp's `FileResponse` alone", seconds=aiohttp_times),
            DownloadTimes(server="the bot, otherwise idle", seconds=idle_times),
            DownloadTimes(server="the bot, while subscribed jobs end", seconds=busy_times),
        ),
        expected=len(subscribers) * _JOBS,
        received=sum(status == end.status for end, status, _ in arrivals),
        late_messages=sum(len(each.late_messages) for each in subscribers),
        closed_sockets=closed_sockets,
        delays=tuple(arrived - end.time for end, _, arrived in arrivals),
    )


async def _share_video(environment: ApiEnvironment) -> str:
    """Make the video that all connections download; return its URL."""
    job_id = await environment.create_job(_SHARING_CLIENT, "The large one")
    (ref,) = (await environment.wait_for_remote_jobs(1)).values()
    await environment.end_job(ref)
    async with asyncio.timeout(TIMEOUT):
        while (url := await environment.share_url(_SHARING_CLIENT, job_id)) is None:
            await asyncio.sleep(0.1)
    return f"{url}/video.mp4"


async def _download_alternately(
    source: Source, aiohttp_source: Source
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Download from both sources in turn, so that other load affects both alike."""
    bot_times: list[float] = []
    aiohttp_times: list[float] = []
    for _ in range(_ROUNDS):
        aiohttp_times.append(await _download(aiohttp_source))
        bot_times.append(await _download(source))
    return tuple(bot_times), tuple(aiohttp_times)


async def _download_rounds(source: Source) -> tuple[float, ...]:
    return tuple([await _download(source) for _ in range(_ROUNDS)])


async def _download(source: Source) -> float:
    download = partial(download_all, source, connections=_CONNECTIONS, ranges=_RANGES)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, download)


async def _create_jobs(environment: ApiEnvironment) -> list[_Job]:
    jobs: list[_Job] = []
    for number in range(_JOBS):
        for client in _CLIENTS:
            script = f"{client}, film {number}"
            job_id = await environment.create_job(client, script)
            jobs.append(_Job(client=client, id=job_id, script=script))
    await environment.wait_for_remote_jobs(len(jobs) + 1)
    return jobs


@asynccontextmanager
async def _open_subscribers(
    environment: ApiEnvironment, jobs: Sequence[_Job]
) -> AsyncGenerator[list[Subscriber]]:
    async with AsyncExitStack() as stack:
        subscribers: list[Subscriber] = []
        for client in _CLIENTS:
            own = [job.id for job in jobs if job.client == client]
            headers = environment.headers(client)
            for _ in range(_SOCKETS):
                subscriber = open_subscriber(environment.http, environment.url, headers, own)
                subscribers.append(await stack.enter_async_context(subscriber))
        yield subscribers


async def _end_jobs(environment: ApiEnvironment, jobs: Sequence[_Job]) -> dict[str, _End]:
    """End all jobs at an even rate; return the end of each by its id."""
    refs = await environment.wait_for_remote_jobs(len(jobs) + 1)
    started = time.perf_counter()
    tasks: dict[str, tuple[str, asyncio.Task[float]]] = {}
    for number, job in enumerate(jobs):
        due = started + _ALL_JOBS_END_WITHIN * number / len(jobs)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        fails = number % _FAILURE_INTERVAL == 0
        task = asyncio.create_task(environment.end_job(refs[job.script], fails=fails))
        tasks[job.id] = ("failed" if fails else "completed", task)
    return {
        job_id: _End(status=status, time=await task) for job_id, (status, task) in tasks.items()
    }


async def _wait_for_final_states(subscribers: Sequence[Subscriber]) -> None:
    """Wait for all final states; after the time-out, the missing ones are counted as such."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*(each.wait_for_final_states() for each in subscribers))


@asynccontextmanager
async def _open_bare_aiohttp(folder: Path, large: Path) -> AsyncGenerator[Source]:
    port = free_port()
    command = ("benchmarks.bare_aiohttp", str(port), str(large))
    async with run_module(folder / "bare.log", {}, command):
        yield Source(url=f"http://127.0.0.1:{port}/", path=large)
