"""Runs a worker: takes in, submits and polls jobs, and downloads and merges their clips.

A worker is not connected to Discord.
"""

from __future__ import annotations

import platform
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from bot.errors import DeliveryError
from bot.library.local_sweep import LocalSweep
from bot.runtime.part_watch import make_part_watch
from bot.runtime.parts.keeping import make_links
from bot.runtime.roles.clock_follower import ClockFollower
from bot.runtime.roles.copy_maker import CopyMaker
from bot.runtime.roles.role import Role
from bot.runtime.roles.small_server import open_small_server
from bot.runtime.supervisor import run_parts, sweep_hourly
from bot.runtime.workers import make_list_polling, make_workers
from storage.delivery.copy_orders import CopyOrderStore
from storage.retention import RetentionStore

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from bot.artifacts import Artifact, Handover
    from bot.model import Job
    from bot.runtime.engine import Engine


class NoDiscord:
    """Raises DeliveryError for every delivery, because this process is not connected to Discord."""

    async def find_message(self, job: Job) -> int | None:
        """Raise DeliveryError."""
        self._refuse(job)

    async def show(self, job: Job) -> None:
        """Raise DeliveryError."""
        self._refuse(job)

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:  # noqa: ARG002 - as declared
        """Raise DeliveryError."""
        self._refuse(job)

    async def notify(self, job: Job, video: Artifact | None) -> bool:  # noqa: ARG002 - as declared
        """Raise DeliveryError."""
        self._refuse(job)

    def _refuse(self, job: Job) -> NoReturn:
        raise DeliveryError(f"job {job.id} needs Discord")


async def run_worker(engine: Engine, stop: asyncio.Event) -> None:
    """Run the steps of jobs that don't need Discord, until `stop` is set."""
    async with AsyncExitStack() as stack:
        await open_small_server(
            engine, stack, make_links(engine.resources), state=Role.WORKER, is_ready=lambda: True
        )
        clock, database = engine.resources.clock, engine.resources.database
        watch = make_part_watch(engine)
        workers = make_workers(engine, NoDiscord(), Role.WORKER)
        polling = make_list_polling(engine, Role.WORKER)
        orders = CopyOrderStore(database, clock=database.wall)
        local_sweep = LocalSweep(RetentionStore(database), engine.workspace, clock=clock)
        engine.bus.subscribe(local_sweep.on_job_changed)
        parts: dict[str, Callable[[], Awaitable[object]]] = {
            "clock": ClockFollower(clock, pause=engine.timing.clock_check).run,
            "loop metrics": engine.metrics.watch_loop,
            **({"heartbeat": engine.heartbeat.run} if engine.heartbeat else {}),
            "local sweep": partial(sweep_hourly, local_sweep),
            **{
                name: CopyMaker(orders, engine.editor, in_background=in_background).run
                for name, in_background in (("copies", False), ("copies for links", True))
            },
            **({"list polling": polling.run} if polling else {}),
            **{f"{worker.name} worker": worker.run for worker in workers},
        }
        # Each worker has its own rows in the table of failing parts.
        named = {f"{name} on {platform.node()}": run for name, run in parts.items()}
        await run_parts(named, workers, watch, stop)
