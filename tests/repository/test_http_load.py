"""Tests that the HTTP load benchmark detects wrong bytes and late messages."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from benchmarks.downloads import Source, download_all
from benchmarks.subscribers import open_subscriber
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

JOBS = ("1" * 32, "2" * 32)


@asynccontextmanager
async def serve(
    path: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> AsyncGenerator[str]:
    app = web.Application()
    app.add_routes([web.get(path, handler)])
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def file_served(path: Path) -> AsyncGenerator[str]:
    async def send(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    async with serve("/", send) as url:
        yield f"{url}/"


async def test_a_complete_file_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(bytes(range(256)) * 50)
    async with file_served(path) as url:
        source = Source(url=url, path=path)
        assert await asyncio.to_thread(download_all, source, connections=3, ranges=4) > 0


async def test_a_file_with_a_wrong_byte_is_rejected(tmp_path: Path) -> None:
    path, other = tmp_path / "film", tmp_path / "other"
    path.write_bytes(bytes(1000))
    other.write_bytes(bytes(999) + b"!")
    async with file_served(other) as url:
        source = Source(url=url, path=path)
        with pytest.raises(RuntimeError, match="does not match"):
            await asyncio.to_thread(download_all, source, connections=1, ranges=2)


async def test_a_server_without_ranges_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(bytes(1000))

    async def send(_: web.Request) -> web.Response:
        return web.Response(body=bytes(1000))

    async with serve("/", send) as url:
        source = Source(url=f"{url}/", path=path)
        with pytest.raises(RuntimeError, match="200"):
            await asyncio.to_thread(download_all, source, connections=1, ranges=2)


async def test_a_subscriber_records_final_states_and_late_messages() -> None:
    first, second = JOBS

    async def send_messages(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        messages: list[dict[str, Any]] = [
            {"jobId": first, "status": "completed"},
            {"jobId": first, "status": "in_progress"},
            {"jobId": second, "status": "queued"},
            {"jobId": second, "status": "failed"},
        ]
        for message in messages:
            await socket.send_json({"type": "progress", **message})
        await socket.receive()
        return socket

    async with (
        serve("/ws", send_messages) as url,
        aiohttp.ClientSession() as http,
        open_subscriber(http, url, {}, JOBS) as subscriber,
        asyncio.timeout(10),
    ):
        await subscriber.wait_for_final_states()
    assert {job_id: status for job_id, (status, _) in subscriber.final_states.items()} == {
        first: "completed",
        second: "failed",
    }
    assert subscriber.late_messages == [first]
