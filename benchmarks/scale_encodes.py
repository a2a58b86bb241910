"""Measures how many smaller copies one worker makes a minute, and how many two make.

Each worker and its ffmpeg run on one processor core. PostgreSQL and this process share the cores
with them. The service that makes videos and Discord take no part: the videos and the orders of
copies are there before the clock starts.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from benchmarks.scale_engine import fill_jobs
from bot.media.files.stores.base import copy_key, video_key
from storage.database import open_database
from storage.delivery.copy_orders import CopyOrder, CopyOrderStore
from tests.support.media import clips

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer

_CLIPS = 12
_ROUNDS = 2
_MIB = 1024 * 1024
_LIMIT_BYTES = 6 * _MIB
_SECONDS = 8
_NOISE = (
    *(
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s=640x360:d={_SECONDS},noise=alls=16:allf=t",
        "-c:v",
        "libx264",
    ),
    *("-preset", "ultrafast", "-b:v", "12M", "-maxrate", "12M", "-bufsize", "12M"),
    *("-pix_fmt", "yuv420p"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingPace:
    """The copies that workers made a minute.

    `cpu`: the CPU seconds of a copy. `shares`: the copies of each worker.
    """

    workers: int
    copies_a_minute: float
    cpu: float
    shares: tuple[int, ...]


async def measure_encodes(server: PostgresServer, folder: Path) -> list[EncodingPace]:
    """Make the same copies with one worker and with two, by turns."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    clip = folder / "large.mp4"
    await asyncio.to_thread(clips.make, clip, *_NOISE)
    paces: list[EncodingPace] = []
    for number in range(_ROUNDS):
        for workers in range(1, len(cores) + 1):
            place = folder / f"encodes-{number}-{workers}"
            paces.append(
                await _run_workers(await server.url_of(place), place, clip, cores[:workers])
            )
    return paces


async def _run_workers(url: str, place: Path, clip: Path, cores: list[int]) -> EncodingPace:
    store = place / "store"
    jobs = await _order_copies(url, store, clip)
    workers = [await _start(url, store, place / f"worker-{core}", core) for core in cores]
    for worker in workers:
        if worker.stdout is None or await worker.stdout.readline() != b"ready\n":
            raise RuntimeError("a worker did not start")
    began_at = time.time()
    ended = [asyncio.create_task(worker.communicate(b"go\n")) for worker in workers]
    answers = [json.loads((await each)[0]) for each in ended]
    seconds = max(answer["ended_at"] for answer in answers) - began_at
    for job in jobs:
        copy = store / copy_key(job, decent=True)
        if not 0 < copy.stat().st_size <= _LIMIT_BYTES:
            raise RuntimeError("a copy is too large")
    return EncodingPace(
        workers=len(cores),
        copies_a_minute=_CLIPS / seconds * 60,
        cpu=sum(answer["cpu"] for answer in answers) / _CLIPS,
        shares=tuple(answer["copies"] for answer in answers),
    )


async def _order_copies(url: str, store: Path, clip: Path) -> list[str]:
    async with open_database(url) as database:
        jobs = await fill_jobs(database, _CLIPS)
        orders = CopyOrderStore(database, clock=database.wall)
        for job in jobs:
            video = store / video_key(job)
            video.parent.mkdir(parents=True, exist_ok=True)
            video.hardlink_to(clip)
            order = CopyOrder(
                job_id=job, decent=True, limit_bytes=_LIMIT_BYTES, in_background=False
            )
            await orders.order(order)
    return jobs


async def _start(url: str, store: Path, root: Path, core: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.scale_encoder",
        url,
        str(store),
        str(root),
        str(core),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


def describe_encodes(paces: list[EncodingPace]) -> list[str]:
    """Return the lines of the table."""
    lines = [
        f"{_CLIPS} clips of {_SECONDS} s, 640x360, re-encoded to {_LIMIT_BYTES // _MIB} MiB",
        "",
        "| | Re-encodes a minute, by round | CPU s of a copy | Copies of each worker |",
        "| --- | --- | --- | --- |",
    ]
    for workers in dict.fromkeys(pace.workers for pace in paces):
        rounds = [pace for pace in paces if pace.workers == workers]
        speeds = ", ".join(f"{pace.copies_a_minute:.0f}" for pace in rounds)
        cpu, shares = mean(pace.cpu for pace in rounds), " + ".join(map(str, rounds[-1].shares))
        name = f"{workers} worker{'s' if workers > 1 else ''}"
        lines.append(f"| {name} | {speeds} | {cpu:.1f} | {shares} |")
    return lines
