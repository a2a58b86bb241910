from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bot.web.api import json_body
from bot.web.http.connection import RECEIVED_BYTES, Connection
from bot.web.http.server import _LINGER_SECONDS
from tests.support.clients.site import TOKEN, Caller, open_site
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.loop_time import let_pass

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench

JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=x"
SCRIPT = b'--x\r\nContent-Disposition: form-data; name="scriptOrQuestion"\r\n\r\na cat\r\n'
EXPECTING = "Expect: 100-continue"


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened
        # The server waits this long for the rest of a request that it has refused.
        let_pass(_LINGER_SECONDS)


@asynccontextmanager
async def dialled(caller: Caller) -> AsyncGenerator[tuple[StreamReader, StreamWriter]]:
    host, port = caller.url.removeprefix("http://").split(":")
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


def head_of(line: str, length: int, *headers: str | bytes) -> bytes:
    given = (f"{line} HTTP/1.1", "Host: clapper.example", f"Content-Length: {length}", *headers)
    lines = [text if isinstance(text, bytes) else text.encode() for text in given]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def raw(
    caller: Caller, line: str, *headers: str | bytes, body: bytes = b"", length: int | None = None
) -> tuple[int, str]:
    """Send a raw request, and return the status and the error's key."""
    length = len(body) if length is None else length
    async with dialled(caller) as (reader, writer):
        writer.write(head_of(line, length, *headers) + body)
        top = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = int(top.lower().partition("content-length: ")[2].partition("\r")[0])
        content = await reader.readexactly(size)
    return int(top.split()[1]), json.loads(content)["error"]["key"]


async def test_a_sign_in_whose_body_never_arrives_times_out(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_body, "_READ_SECONDS", 0.05)
    answer = await raw(caller, "POST /api/session", JSON, body=b"{", length=20)
    assert answer == (408, "api.too_slow")


async def test_a_sign_in_that_is_larger_than_any_token_is_refused(caller: Caller) -> None:
    body = json.dumps({"token": "x" * 5000}).encode()
    assert await raw(caller, "POST /api/session", JSON, body=body) == (413, "api.too_large")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (("GET /api/jobs", b"Authorization: Bearer \xff\xfe", b""), (401, "api.unauthorized")),
        (("POST /api/session", JSON, b'{"token":"\\ud800"}'), (401, "api.unauthorized")),
        (("POST /api/session", "Origin: http://[", b"{}"), (403, "api.other_site")),
        (("GET /ws", "Origin: http://[", b""), (401, "api.unauthorized")),
        (("POST /api/session", f"{JSON}; charset=foo", b"{}"), (400, "api.no_token")),
        (("POST /api/session", JSON, b"[" * 4000), (400, "api.not_json")),
        (("POST /api/session", JSON, b"[" * 60_000), (413, "api.too_large")),
    ],
)
async def test_a_malformed_request_without_a_token_is_refused_and_not_logged_as_a_bug(
    caller: Caller,
    caplog: pytest.LogCaptureFixture,
    sent: tuple[str, str | bytes, bytes],
    answer: tuple[int, str],
) -> None:
    line, header, body = sent
    assert await raw(caller, line, header, body=body) == answer
    assert "web.failed" not in caplog.text


@pytest.mark.parametrize("path", ["/api/session", "/api/generate"])
async def test_a_caller_that_disconnects_during_its_request_is_not_logged_as_a_bug(
    bench: Bench, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async with open_site(bench) as caller:
        # With Expect: 100-continue, the handler is already reading when the caller disconnects.
        head = head_of(f"POST {path}", 20, JSON, f"Authorization: Bearer {TOKEN}", EXPECTING)
        async with dialled(caller) as (reader, writer):
            writer.write(head + b"{")
            assert b" 100 " in await reader.readline()
    assert "web.failed" not in caplog.text


async def order(caller: Caller, *headers: str, body: bytes) -> tuple[int, str]:
    headers = (f"Authorization: Bearer {TOKEN}", *headers)
    return await raw(caller, "POST /api/generate", *headers, body=body)


@pytest.mark.parametrize(
    ("headers", "body", "key"),
    [
        ((FORM,), b"--x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n--x--", "api.bad_request"),
        ((JSON,), b'{"scriptOrQuestion": "a \\ud800 cat"}', "prompt.garbled"),
        ((JSON, "Idempotency-Key: k"), b'{"scriptOrQuestion": "\\udfff"}', "prompt.garbled"),
        (
            (JSON, "Idempotency-Key: k"),
            b'{"scriptOrQuestion": "\\ud800", "audioBuffer": "T2dnUyBh"}',
            "prompt.garbled",
        ),
    ],
)
async def test_a_malformed_order_of_a_client_is_refused_and_leaves_nothing_behind(
    caller: Caller,
    caplog: pytest.LogCaptureFixture,
    headers: tuple[str, ...],
    body: bytes,
    key: str,
) -> None:
    assert await order(caller, *headers, body=body) == (400, key)
    assert "web.failed" not in caplog.text
    assert not (await caller.bench.workspace.inventory()).folders


async def test_an_undecodable_file_name_is_replaced(caller: Caller) -> None:
    name = b'--x\r\nContent-Disposition: form-data; name="audioBuffer"; filename="\xff\xfe.ogg"'
    body = SCRIPT + name + b"\r\n\r\nOggS a voice\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    status, answer = await caller.ask("POST", "/api/generate", data=body, headers=headers)

    assert status == 200, answer
    attachment = (await caller.bench.now(answer["jobId"])).attachment
    assert attachment is not None
    assert attachment.filename == "??.ogg"


HUGE = 10**9  # a body that never ends
PART = SCRIPT.replace(b"scriptOrQuestion", b"renderVersion").replace(b"a cat", b"v3")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"\n" * 100, "api.bad_request"),
        (b"no boundary\r\n" * 100, "api.bad_request"),
        (b"--x\r\n" + b"X: y\r\n" * 100, "api.bad_request"),
        (b"--x\r\nX: " + b"a" * 20_000, "api.bad_request"),
        (SCRIPT * 5000, "api.field_twice"),
        ((PART + SCRIPT) * 2500, "api.field_twice"),
        (b"--x\r\n\r\n\r\n" * 5000, "api.unknown_field"),
        (b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" * 99, "api.unknown_field"),
    ],
)
async def test_a_form_without_end_is_refused_before_its_end(
    caller: Caller, caplog: pytest.LogCaptureFixture, body: bytes, key: str
) -> None:
    headers = (f"Authorization: Bearer {TOKEN}", FORM)
    answer = await raw(caller, "POST /api/generate", *headers, body=body, length=HUGE)
    assert answer == (400, key)
    assert "web.failed" not in caplog.text
    assert not (await caller.bench.workspace.inventory()).folders


def in_chunks_of_one_byte(body: bytes) -> bytes:
    return b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"


async def test_an_order_in_chunks_of_one_byte_is_accepted(caller: Caller) -> None:
    lines = ("POST /api/generate HTTP/1.1", "Host: x", "Connection: close", FORM)
    lines += (f"Authorization: Bearer {TOKEN}", "Transfer-Encoding: chunked", "", "")
    async with dialled(caller) as (reader, writer):
        writer.write("\r\n".join(lines).encode())
        writer.write(in_chunks_of_one_byte(SCRIPT + b"--x--\r\n"))
        assert b" 200 " in await reader.readline()


async def test_what_is_received_is_parsed_in_small_pieces() -> None:
    pieces: list[int] = []

    class Pieces(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            pieces.append(len(data))

    def connect() -> Connection:
        return Connection(lambda _: Pieces(), buffer=bytearray(RECEIVED_BYTES))

    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.settimeout(0)
    transport, _ = await loop.connect_accepted_socket(connect, ours)
    async with asyncio.timeout(PATIENCE):
        await loop.sock_sendall(theirs, bytes(HUGE // 1000))
        while sum(pieces) < HUGE // 1000:  # noqa: ASYNC110 - the socket wakes only the transport
            await asyncio.sleep(0)
    transport.close()
    theirs.close()
    assert max(pieces) <= RECEIVED_BYTES
