"""Tests of what both transports of the Videos API adapter send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.backends.openai_videos import OpenAIVideos
from bot.backends.transport.base import Timeouts
from bot.errors import BackendError, MediaError
from bot.model import VideoRequest
from tests.support.providers.openai_setup import KEY, NOW, done, over_the_sdk, served
from tests.support.providers.raw_server import RawRequest, RawServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.providers.openai_setup import OpenAIVideos as Adapter

REQUEST = VideoRequest(
    prompt='A "Füchsin" says\r\n--boundary: 雨\\n', model="sora-2", seconds=8, size="1280x720"
)
REF = "vid/eo_ 1+=ü%2F"
# The SDK names itself, its platform and the types that it can parse. Both keep connections open.
OWN = re.compile(r"x-stainless-.*|user-agent|accept|connection")

_OF_BODIES = {"content-type", "content-length"}


async def make_all_requests(
    open_adapter: Callable[..., Adapter], base_url: str, sink: Path, **settings: object
) -> None:
    adapter = open_adapter(
        base_url=base_url,
        api_key=KEY,
        idempotency_header="Idempotency-Key",
        timeouts=Timeouts(content_pauses=()),
        clock=lambda: NOW,
        **settings,
    )
    try:
        await adapter.submit(REQUEST, create_key="key-1")
        await adapter.poll(REF)
        await adapter.find(REQUEST, hints=(REF,))
        await adapter.models()
        await adapter.cancel(REF)
        with contextlib.suppress(BackendError, MediaError):
            await adapter.fetch(done(REF), sink, max_bytes=1000)
    finally:
        await adapter.close()


async def requests_of(
    open_adapter: Callable[..., Adapter], sink: Path, *, user: str = "", **settings: object
) -> list[RawRequest]:
    page = {"data": [{"id": REF, "status": "queued"}], "has_more": True, "last_id": REF}
    server = RawServer(answer={"id": REF, "status": "queued", **page})
    async with served(server) as port:
        base_url = f"http://{user}127.0.0.1:{port}/v1"
        await make_all_requests(open_adapter, base_url, sink, max_pages=2, **settings)
    return server.requests


def meaning(request: RawRequest) -> tuple[str, dict[str, str], bytes]:
    """Return what a request asks for, without the SDK's own headers and a form's boundary."""
    headers = {name: text for name, text in request.headers.items() if not OWN.fullmatch(name)}
    headers["host"] = headers["host"].partition(":")[0]
    if not request.body:  # the SDK names the type of nothing, and aiohttp its length
        headers = {name: headers[name] for name in headers.keys() - _OF_BODIES}
    kind, _, boundary = headers.get("content-type", "").partition("boundary=")
    if not boundary:
        return request.line, headers, request.body
    body = request.body.replace(boundary.encode(), b"BOUNDARY")
    return request.line, headers | {"content-type": kind}, body


@pytest.mark.parametrize("user", ["", "me:p%40ss@"])
@pytest.mark.parametrize("body", ["multipart", "json"])
async def test_both_transports_send_the_same_but_for_the_sdk_s_own_headers(
    body: str, user: str, tmp_path: Path
) -> None:
    extra = {"seed": 7, 'it\'s "odd"': [1, "ü"]}
    light, sdk = [
        await requests_of(adapter, tmp_path / "v.mp4", body=body, extra=extra, user=user)
        for adapter in (OpenAIVideos, over_the_sdk)
    ]
    assert {request.line.partition(" ")[0] for request in light} == {"POST", "GET", "DELETE"}
    assert any("after=" in request.line for request in light)
    assert list(map(meaning, light)) == list(map(meaning, sdk))


async def test_the_light_transport_names_itself_and_no_versions(tmp_path: Path) -> None:
    for request in await requests_of(OpenAIVideos, tmp_path / "v.mp4"):
        assert request.headers["user-agent"] == "Clapper"
        assert request.headers.keys() <= {
            *("host", "authorization", "accept", "accept-encoding", "user-agent"),
            *("content-length", "content-type", "idempotency-key", "connection"),
        }


async def test_the_sdk_forms_all_requests_but_the_download(tmp_path: Path) -> None:
    for request in await requests_of(over_the_sdk, tmp_path / "v.mp4"):
        is_download = request.line.split(" ")[1].endswith("/content")
        assert ("x-stainless-lang" in request.headers) is not is_download


@pytest.mark.parametrize("adapter", [OpenAIVideos, over_the_sdk], ids=["light", "sdk"])
async def test_a_create_and_a_download_have_a_connection_each_and_questions_share_one(
    adapter: Callable[..., Adapter], tmp_path: Path
) -> None:
    connections: dict[str, set[int]] = {"create": set(), "content": set(), "question": set()}
    for request in await requests_of(adapter, tmp_path / "v.mp4"):
        method, path, _ = request.line.split(" ")
        kind = "create" if method == "POST" else "question"
        connections["content" if path.endswith("/content") else kind].add(request.connection)
    assert [len(found) for found in connections.values()] == [1, 1, 1]
    assert len(set.union(*connections.values())) == 3


@pytest.mark.parametrize("open_adapter", [OpenAIVideos, over_the_sdk], ids=["light", "sdk"])
async def test_no_connection_serves_two_creates_or_two_downloads(
    open_adapter: Callable[..., Adapter], tmp_path: Path
) -> None:
    server = RawServer(answer={"id": REF, "status": "completed"})
    async with served(server) as port:
        adapter = open_adapter(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY)
        for _ in range(2):
            await adapter.submit(REQUEST, create_key="key-1")
            with contextlib.suppress(BackendError, MediaError):
                await adapter.fetch(done(REF), tmp_path / "v.mp4", max_bytes=1000)
        await adapter.close()
    assert len(server.requests) == len({request.connection for request in server.requests})


@pytest.mark.parametrize("open_adapter", [OpenAIVideos, over_the_sdk], ids=["light", "sdk"])
async def test_headers_that_are_not_ascii_do_no_harm_and_cookies_are_not_sent_back(
    open_adapter: Callable[..., Adapter],
) -> None:
    headers = "X-Region: Zürich\r\nX-Node: ".encode() + b"k\xf6ln\r\nSet-Cookie: node=1; Path=/\r\n"
    server = RawServer(answer={"id": REF, "status": "queued"}, more_headers=headers)
    async with served(server) as port:
        adapter = open_adapter(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY)
        for _ in range(2):
            assert (await adapter.submit(REQUEST, create_key="key-1")).ref == REF
            assert (await adapter.poll(REF)).state is RemoteState.QUEUED
        await adapter.close()
    assert [sorted(request.headers.keys() & {"cookie", "host"}) for request in server.requests] == (
        [["host"]] * 4
    )


@pytest.mark.parametrize("open_adapter", [OpenAIVideos, over_the_sdk], ids=["light", "sdk"])
async def test_the_reason_for_a_missing_answer_is_named(
    open_adapter: Callable[..., Adapter],
) -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /here\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with served(redirect) as port:
        adapter = open_adapter(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY)
        with pytest.raises(BackendError, match="no answer: TooManyRedirects"):
            await adapter.poll(REF)
        await adapter.close()


class TwoAnswers:
    """A server that answers its first request twice, the second time once `again` is set."""

    def __init__(self) -> None:
        self.again = asyncio.Event()
        self.is_sent = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            ref = path.decode().rpartition("/")[2]
            await self._answer(writer, ref, "completed" if ref == "first" else "queued")
            if ref == "first":
                await self.again.wait()
                await self._answer(writer, ref, "completed")
                self.is_sent.set()

    async def _answer(self, writer: asyncio.StreamWriter, ref: str, status: str) -> None:
        content = json.dumps({"id": ref, "status": status}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        await writer.drain()


@pytest.mark.parametrize("open_adapter", [OpenAIVideos, over_the_sdk], ids=["light", "sdk"])
async def test_an_answer_that_no_request_asked_for_is_not_taken_for_the_next_job(
    open_adapter: Callable[..., Adapter],
) -> None:
    server = TwoAnswers()
    async with served(server) as port:
        adapter = open_adapter(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY)
        assert (await adapter.poll("first")).state is RemoteState.DONE
        server.again.set()
        await server.is_sent.wait()
        for _ in range(10):  # turns of the loop, in which the client receives the bytes
            await asyncio.sleep(0)
        states = [(await adapter.poll(ref)).state for ref in ("second", "third")]
        await adapter.close()
    assert states == [RemoteState.QUEUED, RemoteState.QUEUED]
