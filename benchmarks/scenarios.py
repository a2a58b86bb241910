"""Measures the idle bot, the bot while it processes large clips, and its delivery time."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from benchmarks.environment import open_environment
from benchmarks.memory import (
    MIB,
    Memory,
    MemorySampler,
    Peak,
    cpu_seconds,
    has_mapped,
    measure_memory,
)

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

    from benchmarks.environment import Environment
    from benchmarks.sample_media import SampleMedia

_SETTLE_SECONDS = 4.0
_DELIVERY_RUNS = 20
_RAISED_LIMIT = 100 * MIB  # above 95 MiB, the bot's own limit
_USUAL_LIMIT = 10 * MIB
_RANGES = 4
_CHUNK = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """One or more concurrent jobs with clips of `size` bytes; None: the bot renders the clip.

    `linked`: whether the video is delivered by link and downloaded in ranges. `has_target`: whether
    the growth in memory must stay below the target.
    """

    name: str
    size: int | None
    narrated: bool = False
    linked: bool = False
    concurrent_jobs: int = 1
    has_target: bool = True


WORKLOADS = (
    Workload(name="90 MiB, uploaded unchanged", size=90 * MIB),
    Workload(name="90 MiB, narration merged, uploaded", size=90 * MIB, narrated=True),
    Workload(name="100 MB, delivered by link, downloaded in ranges", size=100_000_000, linked=True),
    Workload(
        name="100 MB, narration merged, delivered by link, downloaded in ranges",
        size=100_000_000,
        narrated=True,
        linked=True,
    ),
    Workload(
        name="three concurrent jobs of 90 MiB, narration merged, uploaded",
        size=90 * MIB,
        narrated=True,
        concurrent_jobs=3,
        has_target=False,
    ),
    Workload(
        name="8 s rendered by the storyboard, narration merged, uploaded",
        size=None,
        narrated=True,
        has_target=False,
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A way to deliver a clip of `size` bytes: uploaded, or by link if it is `linked`."""

    name: str
    size: int
    narrated: bool = False
    linked: bool = False


DELIVERIES = (
    Delivery(name="5 MB, unchanged", size=5_000_000),
    Delivery(name="5 MB, narration merged", size=5_000_000, narrated=True),
    Delivery(name="8 MB, unchanged", size=8_000_000),
    Delivery(name="8 MB, narration merged", size=8_000_000, narrated=True),
    Delivery(name="11 MB, too large to upload, linked", size=11_000_000, linked=True),
    Delivery(name="11 MB, narration merged, linked", size=11_000_000, narrated=True, linked=True),
    Delivery(name="100 MB, narration merged, linked", size=100_000_000, narrated=True, linked=True),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class IdleMemory:
    """The idle bot's memory, and the seconds of CPU from its start until it was ready.

    `pillow_loaded`: whether the renderer's drawing library is loaded.
    """

    backend: str
    start_cpu: float
    memory: Memory
    pillow_loaded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkloadMemory:
    """The bot's memory before, during two runs of a workload, and `after` them."""

    workload: Workload
    idle: Memory
    peaks: tuple[Peak, ...]
    after: Memory

    @property
    def growth(self) -> int:
        """The larger peak minus the idle RSS, in bytes."""
        return max(peak.rss for peak in self.peaks) - self.idle.rss


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryTimes:
    """The seconds from the webhook to the video in Discord, and those of a remux of the clip."""

    name: str
    seconds: tuple[float, ...]
    remux: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median delivery time divided by the median remux time."""
        return statistics.median(self.seconds) / statistics.median(self.remux)


async def measure_idle(folder: Path, clip: Path | None) -> IdleMemory:
    """Measure the idle bot; without a `clip`, its backend is the storyboard."""
    async with open_environment(folder, clip=clip, upload_limit=_USUAL_LIMIT) as environment:
        start_cpu = cpu_seconds(environment.pid)
        await asyncio.sleep(_SETTLE_SECONDS)
        return IdleMemory(
            start_cpu=start_cpu,
            backend="openai" if clip else "storyboard",
            memory=measure_memory(environment.pid),
            pillow_loaded=has_mapped(environment.pid, "/PIL/"),
        )


async def measure_workload(
    folder: Path, workload: Workload, clip: Path | None, speech: Path
) -> WorkloadMemory:
    """Measure the bot while it runs a workload twice."""
    limit = _USUAL_LIMIT if workload.linked else _RAISED_LIMIT
    async with open_environment(
        folder, clip=clip, upload_limit=limit, with_links=workload.linked
    ) as environment:
        await asyncio.sleep(_SETTLE_SECONDS)
        idle = measure_memory(environment.pid)
        peaks = [await _measure_peak(environment, workload, speech) for _ in range(2)]
        await asyncio.sleep(_SETTLE_SECONDS)
        after = measure_memory(environment.pid)
    return WorkloadMemory(workload=workload, idle=idle, peaks=tuple(peaks), after=after)


async def measure_delivery(
    folder: Path, media: SampleMedia, delivery: Delivery, clip: Path, speech: Path
) -> DeliveryTimes:
    """Measure deliveries of a clip and remuxes of it in turn, after one warm-up run of each."""
    seconds: list[float] = []
    remux: list[float] = []
    limit = _USUAL_LIMIT if delivery.linked else _RAISED_LIMIT
    async with open_environment(
        folder, clip=clip, upload_limit=limit, with_links=delivery.linked
    ) as environment:
        for _ in range(_DELIVERY_RUNS + 1):
            delivered = await environment.request_video(speech if delivery.narrated else None)
            if (delivered.url is not None) != delivery.linked:
                raise RuntimeError(f"{delivery.name}: delivered in another way")
            seconds.append(delivered.seconds)
            remux.append(await media.remux(clip))
    return DeliveryTimes(name=delivery.name, seconds=tuple(seconds[1:]), remux=tuple(remux[1:]))


async def _measure_peak(environment: Environment, workload: Workload, speech: Path) -> Peak:
    jobs = range(workload.concurrent_jobs)
    with (sampler := MemorySampler(environment.pid)):
        await asyncio.gather(*(_run_job(environment, workload, speech) for _ in jobs))
    return sampler.peak


async def _run_job(environment: Environment, workload: Workload, speech: Path) -> None:
    delivered = await environment.request_video(speech if workload.narrated else None)
    if (delivered.url is not None) != workload.linked:
        raise RuntimeError("a link was delivered instead of an upload, or the other way round")
    # The size of a merged video is not known beforehand.
    expected_size = None if workload.narrated else workload.size
    if delivered.url is not None:
        await _download_in_ranges(environment.http, delivered.url, expected_size)
    elif expected_size not in {delivered.size, None}:
        raise RuntimeError("the uploaded video has another size than the provider's clip")


async def _download_in_ranges(
    http: aiohttp.ClientSession, url: str, expected_size: int | None
) -> None:
    async with http.get(url, headers={"Range": "bytes=0-0"}) as first:
        size = int(first.headers["Content-Range"].rpartition("/")[2])
    if expected_size not in {size, None}:
        raise RuntimeError("the linked video has another size than the provider's clip")
    edges = [size * part // _RANGES for part in range(_RANGES + 1)]
    # A player requests the whole file, then seeks. Here all requests are concurrent.
    ranges = [(0, size), *itertools.pairwise(edges)]
    sizes = await asyncio.gather(*(_download(http, url, start, end) for start, end in ranges))
    if sizes != [end - start for start, end in ranges]:
        raise RuntimeError("a range has another length than the one requested")


async def _download(http: aiohttp.ClientSession, url: str, start: int, end: int) -> int:
    """Download a range of bytes, whose `end` is excluded, and return its length."""
    size = 0
    async with http.get(url, headers={"Range": f"bytes={start}-{end - 1}"}) as response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            raise RuntimeError(f"a range request returned status {response.status}")
        async for chunk in response.content.iter_chunked(_CHUNK):
            size += len(chunk)
    return size
