"""The HTTP side with a full house: many download and many follow, while jobs go on."""

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

from benchmarks.api_environment import WITHIN, House, Phase, open_house
from benchmarks.downloads import Source, fetch_all
from benchmarks.environment import process
from benchmarks.memory import Memory, measure
from benchmarks.subscribers import Follower, follow
from tests.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

_CLIENTS = tuple(f"client-{number}" for number in range(10))
_SOCKETS = 20  # of one client no more may be open
_JOBS = 50  # as many as a socket may follow
_READERS, _RANGES, _ROUNDS = 20, 4, 3
_FAIL_EACH = 10
_JOBS_WITHIN = 60.0
_QUIET_SECONDS = 4.0
_STUDIO = "studio"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pull:
    """Seconds until all readers had the whole file."""

    name: str
    seconds: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """`told` of `due` final states came, `late` messages after one; `lost` sockets were closed.

    `delays`: seconds from the provider's webhook to each follower that hears of the end.
    """

    idle: Memory
    phases: tuple[Phase, ...]
    after: Memory
    pulls: tuple[Pull, ...]
    due: int
    told: int
    late: int
    lost: int
    delays: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of the final states were there before."""
        return statistics.median(self.delays)

    @property
    def most_of_them(self) -> float:
        """The 95th percentile, by the nearest rank."""
        return sorted(self.delays)[math.ceil(0.95 * len(self.delays)) - 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """An order, as its client knows it, and as the provider does."""

    client: str
    id: str
    script: str


async def fill(folder: Path, large: Path, small: Path) -> Audience:
    """Fill the house: all download `large`, and the jobs that are followed become `small`."""
    phases: list[Phase] = []
    async with (
        open_house(folder, large, (*_CLIENTS, _STUDIO)) as house,
        _open_bare(folder, large) as bare,
    ):
        await asyncio.sleep(_QUIET_SECONDS)
        idle = measure(house.pid)
        source = Source(url=await _first_video(house), path=large)
        house.api.clip = small
        async with house.phase("20 download", phases):
            own, alone = await _pull_in_turn(source, bare)
        jobs = await _order_all(house)
        async with _seat(house, jobs) as followers:
            async with house.phase("200 subscribe to 50 jobs each", phases):
                await asyncio.gather(*(each.subscribe() for each in followers))
            async with house.phase("jobs end, 20 download, 200 are told", phases):
                ended, busy = await asyncio.gather(_end_all(house, jobs), _pull_often(source))
                await _all_told(followers)
            await asyncio.sleep(_QUIET_SECONDS)  # what comes after an end would come now
            lost = sum(each.lost for each in followers)
        await asyncio.sleep(_QUIET_SECONDS)
        after = measure(house.pid)
    heard = [(job_id, *end) for each in followers for job_id, end in each.ends.items()]
    return Audience(
        idle=idle,
        phases=tuple(phases),
        after=after,
        pulls=(
            Pull(name="aiohttp's file response, and nothing around it", seconds=alone),
            Pull(name="the bot, at rest otherwise", seconds=own),
            Pull(name="the bot, while jobs end and are followed", seconds=busy),
        ),
        due=len(followers) * _JOBS,
        told=sum(status == ended[job_id][0] for job_id, status, _ in heard),
        late=sum(len(each.late) for each in followers),
        lost=lost,
        delays=tuple(moment - ended[job_id][1] for job_id, _, moment in heard),
    )


async def _first_video(house: House) -> str:
    """Make the video that all download, and return where."""
    job_id = await house.order(_STUDIO, "The large one")
    (ref,) = (await house.created(1)).values()
    await house.end(ref)
    async with asyncio.timeout(WITHIN):
        while (url := await house.shared(_STUDIO, job_id)) is None:
            await asyncio.sleep(0.1)
    return f"{url}/video.mp4"


async def _pull_in_turn(
    source: Source, bare: Source
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    own: list[float] = []
    alone: list[float] = []
    for _ in range(_ROUNDS):
        alone.append(await _pull(bare))
        own.append(await _pull(source))
    return tuple(own), tuple(alone)


async def _pull_often(source: Source) -> tuple[float, ...]:
    return tuple([await _pull(source) for _ in range(_ROUNDS)])


async def _pull(source: Source) -> float:
    pulling = partial(fetch_all, source, readers=_READERS, ranges=_RANGES)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, pulling)


async def _order_all(house: House) -> list[_Job]:
    jobs: list[_Job] = []
    for number in range(_JOBS):
        for client in _CLIENTS:
            script = f"{client}, film {number}"
            jobs.append(_Job(client=client, id=await house.order(client, script), script=script))
    await house.created(len(jobs) + 1)
    return jobs


@asynccontextmanager
async def _seat(house: House, jobs: Sequence[_Job]) -> AsyncGenerator[list[Follower]]:
    async with AsyncExitStack() as stack:
        followers: list[Follower] = []
        for client in _CLIENTS:
            own = [job.id for job in jobs if job.client == client]
            for _ in range(_SOCKETS):
                opening = follow(house.http, house.url, house.headers(client), own)
                followers.append(await stack.enter_async_context(opening))
        yield followers


async def _end_all(house: House, jobs: Sequence[_Job]) -> dict[str, tuple[str, float]]:
    """Let all jobs end evenly over some seconds; return how and when each did."""
    refs = await house.created(len(jobs) + 1)
    began = time.perf_counter()
    tasks: dict[str, tuple[str, asyncio.Task[float]]] = {}
    for number, job in enumerate(jobs):
        due = began + _JOBS_WITHIN * number / len(jobs)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        fails = number % _FAIL_EACH == 0
        ending = asyncio.create_task(house.end(refs[job.script], fails=fails))
        tasks[job.id] = ("failed" if fails else "completed", ending)
    return {job_id: (status, await ending) for job_id, (status, ending) in tasks.items()}


async def _all_told(followers: Sequence[Follower]) -> None:
    """Wait for the last final state; who waits in vain is counted."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WITHIN):
            await asyncio.gather(*(each.ended() for each in followers))


@asynccontextmanager
async def _open_bare(folder: Path, large: Path) -> AsyncGenerator[Source]:
    port = free_port()
    command = ("benchmarks.bare_aiohttp", str(port), str(large))
    async with process(folder / "bare.log", {}, command):
        yield Source(url=f"http://127.0.0.1:{port}/", path=large)
