"""`python -m benchmarks.hostile_requests`: sends hostile requests over four connections."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import itertools
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONNECTIONS = 4
_BOMB = gzip.compress(bytes(60 * 1024 * 1024))[: 291 * 1024]
_PIECE = 64 * 1024
# A low priority, because real attackers would not use this machine's processors.
_NICENESS = 10


def _head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: bench", *headers, "", ""]).encode()


def _compressed(_: str) -> Iterator[bytes]:
    yield _head("POST /api/generate", "Content-Encoding: gzip", f"Content-Length: {len(_BOMB)}")
    yield _BOMB


def _compressed_webhook(_: str) -> Iterator[bytes]:
    body = _BOMB[: 64 * 1024]
    signed = (
        "webhook-id: w",
        f"webhook-timestamp: {int(time.time())}",
        "webhook-signature: v1,AAAA",
    )
    length = f"Content-Length: {len(body)}"
    yield _head("POST /api/webhook/video-events", "Content-Encoding: gzip", length, *signed)
    yield body


def _malformed(_: str) -> Iterator[bytes]:
    yield b"G@T / HTTP/1.1\r\n\r\n"


def _long_head(_: str) -> Iterator[bytes]:
    yield b"GET / HTTP/1.1\r\nHost: bench\r\n"
    yield from itertools.repeat(b"X: y\r\n" * 10_000)


def _one_byte_chunks(token: str) -> Iterator[bytes]:
    json = "Content-Type: application/json"
    yield _head("POST /api/generate", _bearer(token), json, "Transfer-Encoding: chunked")
    yield from itertools.repeat(b"1\r\na\r\n" * (_PIECE // 6))


def _endless_form(token: str) -> Iterator[bytes]:
    form = "Content-Type: multipart/form-data; boundary=x"
    yield _head("POST /api/generate", _bearer(token), form, "Content-Length: 9999999999")
    yield from itertools.repeat(b"\n" * _PIECE)


def _empty_frames(token: str) -> Iterator[bytes]:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA=="
    yield _head("GET /ws", _bearer(token), *upgrade, key)
    yield from itertools.repeat(b"\x81\x80\0\0\0\0" * (_PIECE // 6))


def _bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


KINDS: dict[str, Callable[[str], Iterator[bytes]]] = {
    "compressed bodies of 291 KB": _compressed,
    "compressed webhooks with a forged signature": _compressed_webhook,
    "malformed request lines": _malformed,
    "heads without end": _long_head,
    "bodies in chunks of one byte": _one_byte_chunks,
    "forms that never begin": _endless_form,
    "WebSocket messages without content": _empty_frames,
}


async def _attack(port: int, parts: Callable[[str], Iterator[bytes]], token: str) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            sending = asyncio.create_task(_send(writer, parts(token)))
            # Read until the server closes the connection, or has responded to a request that ends.
            while await reader.read(_PIECE) and not sending.done():
                pass
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            writer.close()


async def _send(writer: asyncio.StreamWriter, parts: Iterator[bytes]) -> None:
    for part in parts:
        writer.write(part)
        await writer.drain()


async def _main(options: argparse.Namespace) -> None:
    number: int = options.kind
    kind = list(KINDS.values())[number]
    attacks = [_attack(options.port, kind, options.token) for _ in range(_CONNECTIONS)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(options.seconds):
            await asyncio.gather(*attacks)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--kind", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--token", required=True)
    os.nice(_NICENESS)
    asyncio.run(_main(parser.parse_args()))
    sys.exit(0)
