"""Connects the event bus of a process with those of the other processes on the same database."""

from __future__ import annotations

import asyncio
import platform
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from bot.jobs.changes.relay import ChangeRelay
from bot.runtime.part_watch import make_part_watch
from storage.postgres.notices import open_notices

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.runtime.engine import Engine


@asynccontextmanager
async def relayed(engine: Engine) -> AsyncGenerator[None]:
    """During the `with` block, exchange changes to jobs with the other processes.

    The exchange is begun again after an error.
    """
    notices = open_notices(engine.resources.settings.database_url.get_secret_value())
    relay = ChangeRelay(engine.bus, engine.store, engine.circuit, send=notices.send)
    engine.bus.subscribe(relay.on_job_changed, only_own=True)
    running = make_part_watch(engine).keep_running(
        f"changes on {platform.node()}", partial(notices.run, relay.receive)
    )
    exchanging = asyncio.create_task(running, name="changes")
    try:
        yield
    finally:
        exchanging.cancel()
        await asyncio.gather(exchanging, return_exceptions=True)
