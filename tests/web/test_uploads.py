"""Caps, disk space and the number of uploads are checked before a byte of a body is read."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from storage.jobs.caps import Caps
from tests.support.clients.site import FORM, OTHER_TOKEN, TOKEN, Caller, open_site
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import PATIENCE

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

KINDS = ("multipart/form-data; boundary=x", "application/json")
SIZES = ("Content-Length: 99999999", "Transfer-Encoding: chunked")
ONE_JOB = Caps(open_per_user=1, open_in_all=5, per_day=5)


@asynccontextmanager
async def upload(
    caller: Caller, *headers: str, kind: str = KINDS[0], size: str = SIZES[0], token: str = TOKEN
) -> AsyncGenerator[tuple[StreamReader, StreamWriter]]:
    """Begin an upload, of which nothing but the head is sent."""
    host, port = caller.url.removeprefix("http://").split(":")
    lines = ["POST /api/generate HTTP/1.1", "Host: x", f"Authorization: Bearer {token}"]
    lines += [f"Content-Type: {kind}", size, "Expect: 100-continue", *headers, "", ""]
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write("\r\n".join(lines).encode())
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        try:
            yield reader, writer
        finally:
            writer.close()


async def refusal(reader: StreamReader) -> tuple[int, str]:
    """Read an answer, and return its status and its error's key."""
    top = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = int(top.lower().partition("content-length: ")[2].partition("\r")[0])
    return int(top.split()[1]), json.loads(await reader.readexactly(size))["error"]["key"]


async def allowed(caller: Caller, token: str = TOKEN, **headers: str) -> tuple[int, str]:
    """Ask whether an upload would be accepted."""
    sent = {"Authorization": f"Bearer {token}", **headers}
    async with caller.http.get("/api/upload", headers=sent) as response:
        if response.status == 204:
            return 204, ""
        return response.status, (await response.json())["error"]["key"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
async def test_an_upload_past_a_cap_is_refused_before_it_is_read(
    tmp_path: Path, clock: Clock, kind: str, size: str
) -> None:
    async with open_bench(tmp_path, clock, caps=ONE_JOB) as bench, open_site(bench) as caller:
        assert await allowed(caller) == (204, "")
        await caller.order(headers={"Idempotency-Key": "first"})
        folders = (await bench.workspace.inventory()).folders
        async with upload(caller, kind=kind, size=size) as (reader, _):
            assert await refusal(reader) == (429, "caps.user")
        assert (await bench.workspace.inventory()).folders == folders
        assert await allowed(caller) == (429, "caps.user")
        assert await allowed(caller, OTHER_TOKEN) == (204, "")
        # An order that is repeated only asks for its job.
        assert await allowed(caller, **{"Idempotency-Key": "first"}) == (204, "")


@pytest.mark.parametrize(
    ("caps", "key"),
    [
        (Caps(open_per_user=5, open_in_all=1, per_day=5), "caps.all"),
        (Caps(open_per_user=5, open_in_all=5, per_day=1), "caps.day"),
    ],
)
async def test_every_cap_is_told_before_an_upload(
    tmp_path: Path, clock: Clock, caps: Caps, key: str
) -> None:
    async with open_bench(tmp_path, clock, caps=caps) as bench, open_site(bench) as caller:
        await caller.order()
        async with upload(caller) as (reader, _):
            assert await refusal(reader) == (429, key)
        assert await allowed(caller, OTHER_TOKEN) == (429, key)


@pytest.mark.parametrize("kind", KINDS)
async def test_without_disk_space_an_upload_is_refused_and_a_text_is_accepted(
    bench: Bench, kind: str
) -> None:
    async with open_site(bench, min_free_bytes=2**60) as caller:
        async with upload(caller, kind=kind) as (reader, _):
            assert await refusal(reader) == (503, "api.no_space")
        assert await allowed(caller) == (503, "api.no_space")
        await caller.order()


async def test_a_client_has_two_uploads_at_once(bench: Bench) -> None:
    async with open_site(bench) as caller, AsyncExitStack() as stack:
        two = [
            await stack.enter_async_context(upload(caller, kind=kind, size=size))
            for kind, size in zip(KINDS, SIZES, strict=True)
        ]
        async with asyncio.timeout(PATIENCE):
            while await allowed(caller) != (429, "api.uploads"):
                pass
            async with upload(caller) as (reader, _):
                assert await refusal(reader) == (429, "api.uploads")
            async with upload(caller, token=OTHER_TOKEN):
                await caller.order(FORM)  # small orders don't count
                two[0][1].close()
                while await allowed(caller) != (204, ""):
                    pass


async def test_only_clients_may_ask_about_uploads(bench: Bench) -> None:
    async with open_site(bench) as caller:
        assert await allowed(caller, "wrong") == (401, "api.unauthorized")
        assert await allowed(caller, **{"Idempotency-Key": "x y"}) == (400, "api.bad_key")
