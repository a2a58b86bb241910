"""The losses: each takes one part away while jobs are running, and brings it back."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.proofs.scale.losses.fleet import Fleet

    Scenario = Callable[[Fleet, int], Awaitable[str]]

_MIB = 1024 * 1024
# Noise of 12 MiB, of which Discord takes 8.
_NOISE = (
    *("-f", "lavfi", "-i", "testsrc2=s=640x360:d=8,noise=alls=40:allf=t", "-c:v", "libx264"),
    *("-preset", "ultrafast", "-b:v", "12M", "-maxrate", "12M", "-bufsize", "12M"),
    *("-pix_fmt", "yuv420p"),
)
_UPLOAD_BYTES = 8 * _MIB
_MOST_LARGE = 6
_PAUSE_SECONDS = 30.0
_AWAY_SECONDS = 10.0
_STORE_SECONDS = 30.0
# The lease, and the search for the job whose create request may have been sent.
_BEYOND_LEASE_SECONDS = 35.0


async def lose_nothing(fleet: Fleet, jobs: int) -> str:
    """Run without a loss, for comparison."""
    await fleet.orders.type(jobs)
    return ""


async def kill_worker(fleet: Fleet, jobs: int) -> str:
    """Kill a worker in the middle. The service manager starts it again."""
    typing = asyncio.create_task(fleet.orders.type(jobs), name="typing")
    await fleet.orders.until_delivered(max(1, jobs // 5))
    fleet.processes["worker1"].send(signal.SIGKILL)
    await typing
    return ""


async def kill_encoder(fleet: Fleet, jobs: int) -> str:
    """Have videos that are too large for Discord, and kill a worker that makes a smaller copy."""
    clip = fleet.folder / "large.mp4"
    await asyncio.to_thread(clips.make, clip, *_NOISE)
    fleet.api.clip = clip
    fleet.discord.limits.upload_bytes = _UPLOAD_BYTES
    large = clip.stat().st_size
    typing = asyncio.create_task(fleet.orders.type(min(jobs, _MOST_LARGE)), name="typing")
    await fleet.orders.until_delivered(1, within=600)
    fleet.processes["worker1"].send(signal.SIGKILL)
    await typing
    return f"clips of {large / _MIB:.0f} MiB, uploads of at most {_UPLOAD_BYTES / _MIB:.0f} MiB"


async def pause_before_post(fleet: Fleet, jobs: int) -> str:
    """Stop a worker between the intent and its create request, for longer than its lease."""
    mark = fleet.folder / "paused"
    await fleet.orders.type(jobs)
    async with asyncio.timeout(60):
        while not mark.exists():  # noqa: ASYNC110 - written by another process
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    pid, job_id = mark.read_text().split()
    await asyncio.sleep(_BEYOND_LEASE_SECONDS)
    [paused] = [each for each in fleet.processes.values() if each.pid == int(pid)]
    paused.send(signal.SIGCONT)
    return (
        f"{paused.name} was stopped for {_BEYOND_LEASE_SECONDS:.0f} s before a POST ({job_id[:8]})"
    )


async def kill_desk(fleet: Fleet, jobs: int) -> str:
    """Kill the active desk, and measure until the other one is connected to Discord."""
    typing = asyncio.create_task(fleet.orders.type(jobs), name="typing")
    await fleet.orders.until_delivered(max(1, jobs // 5))
    desk = await fleet.active_desk()
    other = fleet.other_desk(desk)
    began = time.monotonic()
    desk.send(signal.SIGKILL)
    await other.until("/readyz")
    taken = time.monotonic() - began
    await typing
    return f"taken over after {taken:.1f} s"


async def pause_desk(fleet: Fleet, jobs: int) -> str:
    """Stop the active desk for 30 s, in which the other one delivers."""
    typing = asyncio.create_task(fleet.orders.type(jobs), name="typing")
    await fleet.orders.until_delivered(max(1, jobs // 5))
    desk = await fleet.active_desk()
    other = fleet.other_desk(desk)
    before, began = fleet.orders.delivered, time.monotonic()
    desk.send(signal.SIGSTOP)
    await other.until("/readyz")
    taken = time.monotonic() - began
    await asyncio.sleep(max(0.0, _PAUSE_SECONDS - taken))
    delivered = fleet.orders.delivered - before
    starts = desk.starts
    desk.send(signal.SIGCONT)
    async with asyncio.timeout(60):
        while desk.starts == starts:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    await typing
    return (
        f"taken over after {taken:.1f} s, {delivered} videos delivered meanwhile, "
        "and the paused desk has ended"
    )


async def stop_database(fleet: Fleet, jobs: int) -> str:
    """Stop PostgreSQL for 10 s."""
    typing = asyncio.create_task(fleet.orders.type(jobs), name="typing")
    await fleet.orders.until_delivered(max(1, jobs // 5))
    await asyncio.to_thread(fleet.postgres.stop)
    await asyncio.sleep(_AWAY_SECONDS)
    await asyncio.to_thread(fleet.postgres.start_again)
    began = time.monotonic()
    await fleet.active_desk()
    taken = time.monotonic() - began
    await typing
    return f"a desk is back {taken:.1f} s after the database"


async def stop_store(fleet: Fleet, jobs: int) -> str:
    """Have the bucket away for 30 s."""
    typing = asyncio.create_task(fleet.orders.type(jobs), name="typing")
    await fleet.orders.until_delivered(max(1, jobs // 5))
    await asyncio.to_thread(fleet.bucket.stop)
    await asyncio.sleep(_STORE_SECONDS)
    await asyncio.to_thread(fleet.bucket.start)
    await typing
    return ""


async def change_setting(fleet: Fleet, jobs: int) -> str:
    """Change the length of clips: a new desk first, the workers after it."""
    typing = asyncio.create_task(fleet.orders.type(jobs, every=0.2), name="typing")
    await fleet.orders.until_delivered(max(1, jobs // 5))
    desk = await fleet.active_desk()
    other = fleet.other_desk(desk)
    change = {"VIDEO_SECONDS": "4"}
    await other.stop()
    other.start(**change)
    await other.until("/healthz")
    began = time.monotonic()
    await desk.stop()
    await other.until("/readyz")
    taken = time.monotonic() - began
    desk.start(**change)
    for name in ("worker1", "worker2"):
        await fleet.processes[name].stop()
        fleet.processes[name].start(**change)
        await fleet.processes[name].until("/healthz")
    await typing
    return f"taken over after {taken:.1f} s"


SCENARIOS: dict[str, Scenario] = {
    "nothing is lost": lose_nothing,
    "kill -9 of a worker": kill_worker,
    "kill -9 of a worker that makes smaller copies": kill_encoder,
    "SIGSTOP of a worker between intent and POST": pause_before_post,
    "kill -9 of the desk": kill_desk,
    "SIGSTOP of the desk for 30 s": pause_desk,
    "PostgreSQL stopped for 10 s": stop_database,
    "the store away for 30 s": stop_store,
    "a rolling change of a setting": change_setting,
}
