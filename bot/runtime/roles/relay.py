"""Connects the event bus of a process with those of the other processes on the same database."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.jobs.changes.relay import ChangeRelay
from storage.postgres.notices import open_notices

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.runtime.engine import Engine


@asynccontextmanager
async def relayed(engine: Engine) -> AsyncGenerator[None]:
    """During the `with` block, exchange changes to jobs with the other processes."""
    notices = open_notices(engine.resources.settings.database_url.get_secret_value())
    relay = ChangeRelay(engine.bus, engine.store, send=notices.send)
    engine.bus.subscribe(relay.on_job_changed, only_own=True)
    exchanging = asyncio.create_task(notices.run(relay.receive), name="changes")
    try:
        yield
    finally:
        exchanging.cancel()
        await asyncio.gather(exchanging, return_exceptions=True)
