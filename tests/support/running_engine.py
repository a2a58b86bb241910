"""Runs the engine with its workers, without Discord, against a provider's stand-in."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.runtime.adapters import open_backend
from bot.runtime.engine import open_engine
from bot.runtime.resources import open_resources
from bot.runtime.roles.worker import NoDiscord
from bot.runtime.workers import make_workers
from bot.settings.fields import load_settings
from tests.support.wire import FAST

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from bot.api_clients.audio_upload import AudioUpload
    from bot.runtime.engine import Engine

_GRACE_SECONDS = 5.0


@asynccontextmanager
async def running_engine(folder: Path, **settings: Any) -> AsyncGenerator[Engine]:
    """Run the engine in a data folder; after the block, stop it."""
    values = {"data_dir": folder, "http_port": 0} | settings
    async with AsyncExitStack() as stack:
        resources = await open_resources(load_settings(**values), stack)
        backend = await open_backend(resources, stack)
        engine = await open_engine(resources, backend, stack, timing=FAST)
        workers = make_workers(engine, NoDiscord())
        parts = [worker.run for worker in workers] + [engine.holds.run, engine.clock_watcher.run]
        tasks = [asyncio.create_task(run(), name=run.__qualname__) for run in parts]
        try:
            yield engine
        finally:
            await asyncio.gather(*(worker.stop(grace=_GRACE_SECONDS) for worker in workers))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def upload(engine: Engine, audio: Path) -> AudioUpload:
    """Send a narration ahead of its order, as an API client does."""
    content = await asyncio.to_thread(audio.read_bytes)

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return await engine.clients.receive_audio(chunks(), filename=audio.name)
