"""Opens the components of the process, runs them in its role, and closes them in reverse order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bot.runtime.adapters import open_backend, open_voices
from bot.runtime.engine import open_engine
from bot.runtime.resources import open_resources
from bot.runtime.roles.role import Role
from bot.runtime.stop_signals import on_stop_signals
from bot.runtime.supervisor import supervise

if TYPE_CHECKING:
    from bot.runtime.timing import Timing
    from bot.settings.fields import Settings


async def run(
    settings: Settings,
    *,
    role: Role = Role.ALL,
    timing: Timing | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run the bot in a role until `stop` is set or a stop signal arrives.

    Steps of jobs that don't finish in time continue at the next start.

    Raises StartupError if the operator has to change something first. Raises DeskLostError if a
    desk may no longer speak to Discord.
    """
    stop = stop or asyncio.Event()
    with on_stop_signals(lambda _: stop.set()):
        async with AsyncExitStack() as stack:
            is_shared = role is not Role.ALL
            resources = await open_resources(settings, stack, is_shared=is_shared)
            backend = await open_backend(resources, stack)
            voices = await open_voices(settings)
            engine = await open_engine(
                resources, backend, stack, timing=timing, voices=voices, role=role
            )
            if engine.heartbeat is not None:
                engine.heartbeat.on_outdated(stop.set)
            if not is_shared:
                from bot.runtime.roles.service import open_service

                await supervise(await open_service(engine, voices, stack), stop)
                return
            from bot.runtime.roles.relay import relayed

            await stack.enter_async_context(relayed(engine))
            if role is Role.WORKER:
                from bot.runtime.roles.worker import run_worker

                await run_worker(engine, stop)
                return
            from bot.runtime.roles.desk import run_desk
            from storage.postgres.desk_lock import desk_lock

            lock = desk_lock(settings.database_url.get_secret_value())
            await run_desk(engine, voices, lock, stop)
