"""Runs a desk: waits as a standby until no other desk speaks to Discord, and then takes over."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from bot.runtime.parts.keeping import make_links
from bot.runtime.roles.clock_follower import ClockFollower
from bot.runtime.roles.role import Role
from bot.runtime.roles.service import open_service
from bot.runtime.roles.small_server import open_small_server
from bot.runtime.supervisor import supervise

if TYPE_CHECKING:
    from bot.runtime.engine import Engine
    from bot.speech.voices import Voices
    from storage.postgres.desk_lock import DeskLock

log = logging.getLogger(__name__)

STANDBY = "standby"


async def run_desk(
    engine: Engine,
    voices: Voices | None,
    lock: DeskLock,
    stop: asyncio.Event,
) -> None:
    """Wait for the lock, and be the desk until `stop` is set.

    Raises DeskLostError if the lock is lost. Nothing is sent to Discord from then on.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lock.release)
        # Closing the standby's server would make the desk wait for the last responses. Therefore,
        # the server stays open until the desk stops.
        server = await open_small_server(
            engine, stack, make_links(engine.resources), state=STANDBY, is_ready=lambda: False
        )
        log.info("desk.standby")
        if not await _take(engine, lock, stop):
            return
        log.info("desk.active")
        keeping = asyncio.create_task(lock.keep(), name="desk lock")
        stack.callback(keeping.cancel)
        if engine.heartbeat is not None:
            await engine.heartbeat.take_over(now=engine.resources.database.wall())
        service = await open_service(
            engine, voices, stack, role=Role.DESK, may_send=lambda: lock.is_held
        )
        await server.stop_accepting()
        await supervise(service, stop, keeping)


async def _take(engine: Engine, lock: DeskLock, stop: asyncio.Event) -> bool:
    """Wait for the lock, or return False once `stop` is set."""
    clock = ClockFollower(engine.resources.clock, pause=engine.timing.clock_check)
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(lock.take(), name="desk lock"),
        asyncio.create_task(stop.wait(), name="stop"),
        asyncio.create_task(clock.run(), name="clock"),
    ]
    if engine.heartbeat is not None:
        tasks.append(asyncio.create_task(engine.heartbeat.run(), name="heartbeat"))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
        return not stop.is_set()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
