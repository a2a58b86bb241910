from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from bot.web import sessions
from tests.fakes import PATIENCE
from tests.site import Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.fakes import Bench

JSON = "Content-Type: application/json"


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def raw(
    caller: Caller, line: str, *headers: str | bytes, body: bytes = b"", length: int | None = None
) -> tuple[int, str]:
    """Send a request as it is, and return the status and the error's key."""
    head = [
        f"{line} HTTP/1.1",
        "Host: clapper.example",
        "Connection: close",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    lines = [text if isinstance(text, bytes) else text.encode() for text in head]
    host, port = caller.url.removeprefix("http://").split(":")
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            top = (await reader.readuntil(b"\r\n\r\n")).decode()
            size = int(top.lower().partition("content-length: ")[2].partition("\r")[0])
            content = await reader.readexactly(size)
        finally:
            writer.close()
            await writer.wait_closed()
    return int(top.split()[1]), json.loads(content)["error"]["key"]


async def test_a_sign_in_whose_body_never_comes_is_not_waited_for(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_READ_SECONDS", 0.05)
    answer = await raw(caller, "POST /api/session", JSON, body=b"{", length=20)
    assert answer == (408, "api.too_slow")


async def test_a_sign_in_that_is_larger_than_any_token_is_refused(caller: Caller) -> None:
    body = json.dumps({"token": "x" * 5000}).encode()
    assert await raw(caller, "POST /api/session", JSON, body=body) == (413, "api.too_large")
