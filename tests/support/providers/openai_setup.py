"""Constants and helpers for the tests of the Videos API adapter."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import TYPE_CHECKING, Any

from bot.backends.base import (
    BackendUpdate,
    RemoteState,
)
from bot.backends.openai_videos import OpenAIVideos
from bot.backends.transport.openai_sdk import OpenAITransports
from bot.model import VideoRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.providers.videos_api import VideosApi

KEY = "sk-made-up-0123456789"
SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, made up").decode()
NOW = 1_800_000_000.0
REQUEST = VideoRequest(
    prompt="Explain how rainbows form", model="sora-2", seconds=8, size="1280x720"
)
MAX_BYTES = 50 * 1024 * 1024


def over_the_sdk(**settings: Any) -> OpenAIVideos:
    """Create an adapter that sends through OpenAI's SDK, as the bot does for OpenAI."""
    transports = OpenAITransports(api_key=settings["api_key"])
    return OpenAIVideos(open_transport=transports, **settings)


async def submit(backend: OpenAIVideos, request: VideoRequest = REQUEST) -> str:
    return (await backend.submit(request, create_key="key-1")).ref


def names_in(folder: Path) -> list[str]:
    """List the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def bytes_of(path: Path) -> bytes:
    """Return the content of a file."""
    return path.read_bytes()


def done(ref: str, *, result_url: str | None = None) -> BackendUpdate:
    return BackendUpdate(ref=ref, state=RemoteState.DONE, result_url=result_url)


async def finished(api: VideosApi, backend: OpenAIVideos) -> BackendUpdate:
    ref = await submit(backend)
    api.finish(ref)
    return await backend.poll(ref)


@contextlib.asynccontextmanager
async def served(handler: Callable[..., Any]) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await handler(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
