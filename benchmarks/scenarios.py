"""What is measured: the bot at rest, with large clips in hand, and against the clock."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.environment import open_rig
from benchmarks.memory import MIB, Memory, Peak, Watch, has_mapped, measure

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

    from benchmarks.environment import Rig
    from benchmarks.sample_media import Media

_QUIET_SECONDS = 4.0
_RAISED_LIMIT = 100 * MIB  # the bot's own ceiling is 95 MiB
_USUAL_LIMIT = 10 * MIB
_RANGES = 4
_CHUNK = 256 * 1024
_PARTIAL = 206


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What the bot is given to do: clips of `size` bytes, or, with None, one that it renders.

    `linked`: each is fetched by its link, in ranges. `target`: the growth is bound.
    """

    name: str
    size: int | None
    narrated: bool = False
    linked: bool = False
    at_once: int = 1
    target: bool = True


LOADS = (
    Load(name="90 MiB, uploaded as it came", size=90 * MIB),
    Load(name="90 MiB, narration merged, uploaded", size=90 * MIB, narrated=True),
    Load(name="100 MB, linked, fetched in ranges", size=100_000_000, linked=True),
    Load(
        name="100 MB, narration merged, linked, fetched in ranges",
        size=100_000_000,
        narrated=True,
        linked=True,
    ),
    Load(
        name="three at once of 90 MiB, narration merged, uploaded",
        size=90 * MIB,
        narrated=True,
        at_once=3,
        target=False,
    ),
    Load(
        name="8 s rendered by the storyboard, narration merged, uploaded",
        size=None,
        narrated=True,
        target=False,
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AtRest:
    """The bot with nothing to do; `draws`: the renderer's library is loaded."""

    backend: str
    memory: Memory
    draws: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class InHand:
    """The bot while it did the same twice; `after`: at rest again."""

    load: Load
    idle: Memory
    peaks: tuple[Peak, ...]
    after: Memory

    @property
    def growth(self) -> int:
        """The most memory that was added to that at rest, in bytes."""
        return max(peak.rss for peak in self.peaks) - self.idle.rss


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds from the webhook to the video's card, and those of a remux of the same clip."""

    name: str
    seconds: tuple[float, ...]
    remux: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How often the remux would fit in."""
        return statistics.median(self.seconds) / statistics.median(self.remux)


async def rest(folder: Path, clip: Path | None) -> AtRest:
    """Measure the bot at rest; without a `clip` with the storyboard for a backend."""
    async with open_rig(folder, clip=clip, upload_limit=_USUAL_LIMIT) as rig:
        await asyncio.sleep(_QUIET_SECONDS)
        return AtRest(
            backend="openai" if clip else "storyboard",
            memory=measure(rig.pid),
            draws=has_mapped(rig.pid, "/PIL/"),
        )


async def carry(folder: Path, load: Load, clip: Path | None, speech: Path) -> InHand:
    """Measure the bot while it does what it is given, twice."""
    limit = _USUAL_LIMIT if load.linked else _RAISED_LIMIT
    async with open_rig(folder, clip=clip, upload_limit=limit, with_links=load.linked) as rig:
        await asyncio.sleep(_QUIET_SECONDS)
        idle = measure(rig.pid)
        peaks = [await _watched(rig, load, speech) for _ in range(2)]
        await asyncio.sleep(_QUIET_SECONDS)
        return InHand(load=load, idle=idle, peaks=tuple(peaks), after=measure(rig.pid))


async def race(folder: Path, media: Media, clip: Path, speech: Path | None, *, times: int) -> Pace:
    """Take the time of a clip's way to its card, each beside a remux of it; the first warms up."""
    seconds: list[float] = []
    remux: list[float] = []
    async with open_rig(folder, clip=clip, upload_limit=_RAISED_LIMIT) as rig:
        for _ in range(times + 1):
            seconds.append((await rig.video(speech)).seconds)
            remux.append(await media.remux(clip))
    return Pace(
        name="narration merged" if speech else "as it came",
        seconds=tuple(seconds[1:]),
        remux=tuple(remux[1:]),
    )


async def _watched(rig: Rig, load: Load, speech: Path) -> Peak:
    watch = Watch(rig.pid)
    with watch:
        await asyncio.gather(*(_bring(rig, load, speech) for _ in range(load.at_once)))
    return watch.peak


async def _bring(rig: Rig, load: Load, speech: Path) -> None:
    delivered = await rig.video(speech if load.narrated else None)
    if (delivered.url is not None) != load.linked:
        raise RuntimeError("the video came another way than it should")
    whole = load.size if not load.narrated else None
    if delivered.url is not None:
        await _fetch_in_ranges(rig.http, delivered.url, whole)
    elif whole not in {delivered.size, None}:
        raise RuntimeError("the video came with another size than it was sent with")


async def _fetch_in_ranges(http: aiohttp.ClientSession, url: str, whole: int | None) -> None:
    async with http.get(url, headers={"Range": "bytes=0-0"}) as first:
        size = int(first.headers["Content-Range"].rpartition("/")[2])
    if whole not in {size, None}:
        raise RuntimeError("the link leads to another size than was sent")
    edges = [size * part // _RANGES for part in range(_RANGES + 1)]
    # A player asks for all of it, then jumps: here at once.
    ranges = [(0, size), *itertools.pairwise(edges)]
    read = await asyncio.gather(*(_fetch(http, url, start, end) for start, end in ranges))
    if read != [end - start for start, end in ranges]:
        raise RuntimeError("a range came with another length than was asked for")


async def _fetch(http: aiohttp.ClientSession, url: str, start: int, end: int) -> int:
    read = 0
    async with http.get(url, headers={"Range": f"bytes={start}-{end - 1}"}) as response:
        if response.status != _PARTIAL:
            raise RuntimeError(f"a range was answered with {response.status}")
        async for chunk in response.content.iter_chunked(_CHUNK):
            read += len(chunk)
    return read
