"""Keeps the parts running until it is time to stop, and stops them in order."""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.client import stay_connected

if TYPE_CHECKING:
    from collections.abc import Generator

    from bot.client import VideoBot
    from bot.delivery.progress import ProgressCards
    from bot.eraser import Eraser
    from bot.jobs import JobService
    from bot.keeper import Keeper
    from bot.worker import Worker

log = logging.getLogger(__name__)

_GRACE_SECONDS = 20.0
_SWEEP_SECONDS = 60 * 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What runs by itself."""

    bot: VideoBot
    jobs: JobService
    keeper: Keeper
    eraser: Eraser
    workers: tuple[Worker, ...]
    progress: ProgressCards


async def supervise(service: Service, stop: asyncio.Event) -> None:
    """Run until `stop`; a part that ends by itself is a bug or a refusal, and ends all."""
    held = await service.jobs.wake_held()
    log.info("app.started held=%d", held)
    for job in await service.jobs.by_token_alone():
        service.progress.watch(job)
    tasks = {
        asyncio.create_task(coroutine, name=name)
        for name, coroutine in (
            ("stop", stop.wait()),
            ("gateway", stay_connected(service.bot)),
            ("commands", service.bot.keep_offering()),
            ("progress", service.progress.run()),
            ("eraser", service.eraser.run()),
            ("sweeper", _sweep(service.jobs, service.keeper)),
            *((f"lane {number}", worker.run()) for number, worker in enumerate(service.workers)),
        )
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        log.info("app.stopping because=%s", ",".join(sorted(task.get_name() for task in done)))
        await asyncio.gather(*(worker.stop(grace=_GRACE_SECONDS) for worker in service.workers))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _sweep(jobs: JobService, keeper: Keeper) -> None:
    while True:
        try:
            await jobs.sweep()
            await keeper.sweep()
        except (sqlite3.Error, OSError):
            log.exception("sweep.failed")  # what it has left, the next one finds
        await asyncio.sleep(_SWEEP_SECONDS)


@contextmanager
def stop_on_signals(stop: asyncio.Event) -> Generator[None]:
    """Set `stop` on SIGTERM and on Ctrl-C."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
