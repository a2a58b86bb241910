"""Strangers can't fill the log, and nothing that they send is written into it."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.web.webhooks import WEBHOOK_PATH
from tests.support.clients.site import open_site
from tests.support.clients.web_server import serve
from tests.support.fakes.clock import PATIENCE
from tests.support.log_output import log_output

if TYPE_CHECKING:
    import io
    from collections.abc import Generator

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

COOKIE = b"Cookie: clapper_session=s3cret\r\n"
HOST = b"Host: x\r\n" + COOKIE
SOCKET = HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
TIMES = 5
BYTES = 300  # of one line


@pytest.fixture
def output(clock: Clock) -> Generator[io.StringIO]:
    with log_output(clock=clock) as opened:
        yield opened


MALFORMED = [
    b"s3cret\r\n\r\n",
    b"G@T / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03s3cret\r\n\r\n",
    b"\x80s3cret" * 99 + b"\r\n\r\n",
    b"GET /" + b"s3cret" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"s3cret" * 5000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"s3cret: y\r\n" * 500 + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X s3cret: y\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"X: s3cret\x00\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b" s3cret\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: s3cret\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: s3cret\r\n\r\n",
    b"GET http://[s3cret/ HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET //s3cret:x/ HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\nCookie: {s3cret}=1; s3c,ret=\xff\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: s3cret:x:y\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    b"CONNECT s3cret:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\ns3cret\r\n",
    b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\ns3cret\r\n",
    b"POST /x HTTP/1.1\r\n" + HOST + b"Expect: s3cret\r\nContent-Length: 1\r\n\r\n",
    b"POST /api/session HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\ns3cret\r\n",
    f"POST {WEBHOOK_PATH} HTTP/1.1\r\n".encode() + HOST + b"webhook-id: s3cret\r\n\r\n",
    b"GET /ws HTTP/1.1\r\n" + SOCKET + b"Sec-WebSocket-Key: s3cret\r\n\r\n",
    b"GET /ws HTTP/1.1\r\n"
    + SOCKET
    + b"Sec-WebSocket-Protocol: s3cret\r\nSec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA==\r\n\r\n"
    + b"\xff\xffs3cret",
]


async def send(port: int, request: bytes) -> None:
    """Send raw bytes, and read until the server closes the connection or answers."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        writer.write_eof()
        with suppress(ConnectionError):  # the rest of a long head is not read
            while await reader.read(65536):
                pass
        writer.close()


@pytest.mark.parametrize("request_bytes", MALFORMED)
async def test_a_malformed_request_is_one_short_line_a_minute_without_its_words(
    bench: Bench, clock: Clock, output: io.StringIO, request_bytes: bytes
) -> None:
    async with open_site(bench) as caller:
        port = int(caller.url.rpartition(":")[2])
        for _ in range(TIMES):
            await send(port, request_bytes)
        first = output.getvalue()
        clock.advance(60)
        await send(port, request_bytes)
    assert "s3cret" not in output.getvalue()
    assert "Traceback" not in output.getvalue()
    assert first.count("\n") <= 1
    assert len(first) <= BYTES
    if "web.malformed" in first:
        assert f"suppressed={TIMES - 1}" in output.getvalue()


async def test_a_forged_webhook_is_one_line_a_minute(
    bench: Bench, clock: Clock, output: io.StringIO
) -> None:
    async with serve(bench) as site:
        for _ in range(TIMES):
            assert (await site.post(b"{}", {})).status == 401
        clock.advance(59)
        assert (await site.post(b"{}", {})).status == 401
        assert output.getvalue().count("webhook.refused") == 1
        clock.advance(1)
        assert (await site.post(b"{}", {})).status == 401
    assert output.getvalue().count("webhook.refused") == 2
    assert f"suppressed={TIMES}" in output.getvalue()


async def fail(_: web.Request) -> web.Response:
    raise ZeroDivisionError


async def test_a_busy_database_and_a_bug_are_one_traceback_a_minute(
    bench: Bench, output: io.StringIO
) -> None:
    async with serve(bench, [web.get("/bug", fail)]) as site:
        async with bench.unwritable():
            for number in range(TIMES):
                assert (await site.notify("video_1", webhook_id=f"wh_{number}")).status == 503
        for _ in range(TIMES):
            assert (await site.get("/bug"))[0].status == 500
    assert output.getvalue().count("Traceback") == 2
    assert output.getvalue().count("web.database_failed") == 1
    assert output.getvalue().count("web.failed") == 1


SERVER = """
import asyncio, logging
from bot import logs
from bot.web.http.server import WebServer, bind

async def main():
    listener = bind("127.0.0.1", 0)
    await WebServer([], listener, is_ready=lambda: True).start()
    await asyncio.sleep(3600)

logs.configure(level="INFO", style="text", secrets=())
asyncio.run(main())
"""


async def test_without_a_free_file_descriptor_one_line_is_logged_and_callers_wait() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            port = int((await process.stderr.readline()).rpartition(b"=")[2])
            await leave_no_descriptor(process.pid)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"web.not_accepting" in await process.stderr.readline()
            # Some more attempts fail meanwhile.
            await asyncio.sleep(1.2)
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (512, HARD))
            assert b"200" in await reader.readline()
            writer.close()
    finally:
        process.kill()
        rest = await process.stderr.read()
        await process.wait()
    assert rest == b""


HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


async def leave_no_descriptor(pid: int) -> None:
    """Lower a process's limit to the number that it has open."""
    used = await asyncio.to_thread(os.listdir, f"/proc/{pid}/fd")
    assert sorted(map(int, used)) == list(range(len(used)))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(used), HARD))
