"""A backend of the contract suite, with its provider's stand-in."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.errors import BackendError
from tests.support.providers.openai_setup import MAX_BYTES, bytes_of, names_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.backends.base import BackendUpdate, VideoBackend
    from tests.support.providers.contract import Entry
    from tests.support.providers.video_stand_in import VideoStandIn

# The answer of a gateway that can't look up a key, because it has no database.
NO_SUCH_KEY = {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}}


@dataclass(kw_only=True)
class World:
    """A stand-in, its adapter, and the file `sink` for downloads."""

    entry: Entry
    api: VideoStandIn
    backend: VideoBackend
    connect: Callable[..., VideoBackend]
    clip: Path
    sink: Path

    async def submit(self) -> str:
        return (await self.backend.submit(self.entry.request, create_key="key-1")).ref

    async def finished(self) -> BackendUpdate:
        ref = await self.submit()
        self.api.finish(ref)
        return await self.backend.poll(ref)

    async def refused(self) -> BackendError:
        with pytest.raises(BackendError) as caught:
            await self.submit()
        return caught.value

    async def lost(self, ref: str) -> BackendError:
        with pytest.raises(BackendError) as caught:
            await self.backend.poll(ref)
        return caught.value

    async def fetch(self, update: BackendUpdate) -> bytes:
        await self.backend.fetch(update, self.sink, max_bytes=MAX_BYTES)
        return bytes_of(self.sink)

    async def not_fetched(self, update: BackendUpdate) -> BackendError:
        with pytest.raises(BackendError) as caught:
            await self.fetch(update)
        assert not names_in(self.sink.parent)
        return caught.value

    @property
    def creates(self) -> int:
        return len(self.api.made("POST"))


@contextlib.asynccontextmanager
async def another_host(clip: Path) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """Serve the clip from a host that is not the provider; yield its address and its requests."""
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return web.FileResponse(clip)

    app = web.Application()
    app.router.add_get("/v.mp4", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()
