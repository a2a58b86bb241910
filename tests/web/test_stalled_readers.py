"""Tests the limits on stalled readers, and on the connections and requests of one address."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from contextlib import asynccontextmanager, suppress
from inspect import signature
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.model import JobState
from bot.web.http.caller_address import Proxies
from bot.web.http.server import WebServer, bind
from bot.web.http.stalled_readers import StalledReaders
from tests.support.clients.web_server import serve
from tests.support.fakes.clock import PATIENCE, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench

LARGE = 16 * 1024 * 1024
NO_PROXIES = Proxies(())


async def ask(port: int, path: str) -> socket.socket:
    """Send a request, and read nothing of the answer."""
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(caller, ("127.0.0.1", port))
    await loop.sock_sendall(caller, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return caller


async def whole(_: web.Request) -> web.Response:
    return web.Response(body=bytes(LARGE))


async def in_parts(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(LARGE // 65536):
        await response.write(bytes(65536))
    return response


@pytest.mark.parametrize("kind", ["a file", "whole", "in parts"])
async def test_readers_that_stop_reading_are_disconnected_so_others_can_connect(
    bench: Bench, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level(logging.INFO)
    more = [web.get("/whole", whole), web.get("/parts", in_parts)]
    async with (
        serve(bench, more, max_connections=2, reader_seconds=0.3) as site,
        asyncio.timeout(PATIENCE),
    ):
        job = await bench.at(JobState.SUCCEEDED)
        await asyncio.to_thread(bench.workspace.video(job.id).write_bytes, bytes(LARGE))
        path = {"a file": site.links.make(job.id), "whole": "/whole", "in parts": "/parts"}[kind]
        await site.client.close()
        held = [await ask(site.port, path) for _ in range(2)]
        while await site.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == b"":
            pass
        for caller in held:
            caller.close()
    assert "Traceback" not in caplog.text
    assert "web.stalled" in caplog.text


async def turn() -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("linger", [b"", struct.pack("ii", 1, 0)])
async def test_a_caller_that_disconnects_during_a_video_is_not_logged_as_a_bug(
    bench: Bench, caplog: pytest.LogCaptureFixture, linger: bytes
) -> None:
    async with serve(bench) as site, asyncio.timeout(PATIENCE):
        job = await bench.at(JobState.SUCCEEDED)
        await asyncio.to_thread(bench.workspace.video(job.id).write_bytes, bytes(LARGE))
        for _ in range(3):
            with await ask(site.port, site.links.make(job.id)) as caller:
                assert await asyncio.get_running_loop().sock_recv(caller, 12) == b"HTTP/1.1 200"
                if linger:
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            await site.get("/healthz")
    assert "web." not in caplog.text
    assert "Traceback" not in caplog.text


@asynccontextmanager
async def pair() -> AsyncGenerator[tuple[asyncio.StreamWriter, socket.socket]]:
    """Connect a writer to a socket that the test reads from explicitly."""
    writers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    listener = bind("127.0.0.1", 0)
    server = await asyncio.start_server(lambda _, writer: writers.put_nowait(writer), sock=listener)
    async with server:
        with await ask(listener.getsockname()[1], "/") as caller:
            writer = await writers.get()
            yield writer, caller
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_slow_reader_stays_connected_and_one_that_stops_is_disconnected(
    clock: Clock,
) -> None:
    async with pair() as (writer, caller), asyncio.timeout(PATIENCE):
        stalled_readers = StalledReaders(lambda: [writer.transport], seconds=60, clock=clock)
        writer.write(bytes(2 * LARGE))
        stalled_readers.check()
        for _ in range(3):
            clock.advance(59)
            # Drain the receive buffer: only then are more bytes sent and acknowledged.
            before = writer.transport.get_write_buffer_size()
            while writer.transport.get_write_buffer_size() == before:
                await asyncio.get_running_loop().sock_recv(caller, 65536)
            stalled_readers.check()
            assert not writer.transport.is_closing()
        # Bytes in transit when it stopped are still acknowledged.
        while not writer.transport.is_closing():
            clock.advance(60)
            stalled_readers.check()
            await turn()


async def test_a_connection_without_pending_data_is_not_stalled(clock: Clock) -> None:
    async with pair() as (writer, _):
        stalled_readers = StalledReaders(lambda: [writer.transport], seconds=60, clock=clock)
        for _ in range(3):
            stalled_readers.check()
            clock.advance(60)
        await turn()
        assert not writer.transport.is_closing()


async def test_the_connections_of_one_address_are_limited(bench: Bench) -> None:
    async with serve(bench, proxies=NO_PROXIES, max_per_address=2) as site:
        held = [await ask(site.port, "/healthz") for _ in range(2)]
        for caller in held:
            async with asyncio.timeout(PATIENCE):
                assert await asyncio.get_running_loop().sock_recv(caller, 12) == b"HTTP/1.1 200"
        assert await site.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        for caller in held:
            caller.close()


async def test_concurrent_requests_behind_a_proxy_are_limited_per_address(
    bench: Bench,
) -> None:
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def linger(_: web.Request) -> web.Response:
        begun.release()
        await go_on.wait()
        return web.Response(text="done")

    async with serve(bench, [web.get("/slow", linger)], max_per_address=2) as site:
        greedy = {"X-Forwarded-For": "203.0.113.9"}
        held = [asyncio.create_task(site.get("/slow", headers=greedy)) for _ in range(2)]
        for _ in held:
            await begun.acquire()

        refused, _ = await site.get("/healthz", headers=greedy)
        other, _ = await site.get("/healthz", headers={"X-Forwarded-For": "198.51.100.1"})
        itself, _ = await site.get("/healthz")
        go_on.set()
        await asyncio.gather(*held)
        again, _ = await site.get("/healthz", headers=greedy)

    assert [each.status for each in (refused, other, itself, again)] == [429, 200, 200, 200]


def test_the_limits_leave_room_for_others() -> None:
    parameters = signature(WebServer).parameters
    assert parameters["max_per_address"].default * 4 <= parameters["max_connections"].default
