from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import MediaError, UserError
from bot.media.files import download
from bot.media.files.atomic import TooLargeError, save
from bot.media.files.download import AttachmentFetcher

if TYPE_CHECKING:
    from pathlib import Path

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SOUND = bytes(range(256)) * 4000


class Cdn:
    """A host of attachments on a free port, whose `handler` answers each request."""

    def __init__(self, server: TestServer, requests: list[web.Request]) -> None:
        self.origin = str(server.make_url("/").origin())
        self.url = str(server.make_url("/attachments/1/2/voice.ogg?ex=1&is=2&hm=s1gned"))
        self.requests = requests
        self.handler: Handler = whole


async def whole(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=SOUND)


@pytest.fixture
async def cdn() -> AsyncIterator[Cdn]:
    app = web.Application()
    server = TestServer(app)
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return await host.handler(request)

    app.router.add_get("/{path:.*}", answer)
    await server.start_server()
    host = Cdn(server, requests)
    yield host
    await server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def fetcher(cdn: Cdn, session: aiohttp.ClientSession) -> AttachmentFetcher:
    return AttachmentFetcher(session, hosts=frozenset({cdn.origin}), max_bytes=2 * 1024**2)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_an_attachment_is_downloaded_completely(
    fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    await fetcher.fetch(cdn.url, tmp_path / "attachment")
    assert (tmp_path / "attachment").read_bytes() == SOUND
    assert names(tmp_path) == {"attachment"}
    assert cdn.requests[0].query_string == "ex=1&is=2&hm=s1gned"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://cdn.discordapp.com.evil.example/a",
        "file:///etc/passwd",
        "/attachments/1",
        "http://[::1",
        "",
    ],
)
async def test_a_foreign_host_gets_no_request(
    url: str, fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as refused:
        await fetcher.fetch(url, tmp_path / "attachment")
    assert refused.value.key == "audio.gone"
    assert not cdn.requests


async def test_another_port_or_scheme_of_the_host_is_foreign(
    fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    for url in (cdn.url.replace("http:", "https:"), "http://127.0.0.1:1/a"):
        with pytest.raises(UserError):
            await fetcher.fetch(url, tmp_path / "attachment")
    assert not cdn.requests


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_an_expired_link_is_gone(
    status: int, fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    async def expired(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="This content is no longer available.")

    cdn.handler = expired
    with pytest.raises(UserError) as refused:
        await fetcher.fetch(cdn.url, tmp_path / "attachment")
    assert refused.value.key == "audio.gone"
    assert names(tmp_path) == set()


@pytest.mark.parametrize("status", [204, 206, 302, 429, 500, 503])
async def test_any_other_response_allows_a_retry(
    status: int, fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    async def troubled(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    cdn.handler = troubled
    with pytest.raises(MediaError, match=str(status)):
        await fetcher.fetch(cdn.url, tmp_path / "attachment")
    assert len(cdn.requests) == 1


@pytest.mark.parametrize("announced", [10**10, None])
async def test_too_many_bytes_are_refused_with_or_without_a_content_length(
    announced: int | None, fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = announced
        await response.prepare(request)
        while True:
            await response.write(SOUND)

    cdn.handler = endless
    with pytest.raises(UserError) as refused:
        await fetcher.fetch(cdn.url, tmp_path / "attachment")
    assert refused.value.key == "audio.too_large"
    assert refused.value.fields == {"max_mb": 2}
    assert names(tmp_path) == set()


async def test_a_compressed_response_can_not_exceed_the_limit(
    fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    async def bomb(_request: web.Request) -> web.StreamResponse:
        body = gzip.compress(bytes(50 * 1024**2))
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    cdn.handler = bomb
    with pytest.raises(UserError) as refused:
        await fetcher.fetch(cdn.url, tmp_path / "attachment")
    assert refused.value.key == "audio.too_large"
    assert names(tmp_path) == set()


async def test_a_cut_connection_leaves_no_file(
    fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path
) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 2_000_000
        await response.prepare(request)
        await response.write(SOUND)
        assert request.transport is not None
        request.transport.close()
        return response

    cdn.handler = cut
    with pytest.raises(MediaError) as failed:
        await fetcher.fetch(cdn.url, tmp_path / "attachment")
    assert "s1gned" not in str(failed.value)
    assert names(tmp_path) == set()


async def test_an_unreachable_host_allows_a_retry(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    fetcher = AttachmentFetcher(session, hosts=frozenset({"http://127.0.0.1:1"}), max_bytes=9)
    with pytest.raises(MediaError):
        await fetcher.fetch("http://127.0.0.1:1/a", tmp_path / "attachment")


async def test_a_host_that_stops_sending_times_out(
    fetcher: AttachmentFetcher, cdn: Cdn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"OggS")
        await over.wait()
        return response

    cdn.handler = drip
    monkeypatch.setattr(download, "_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    with pytest.raises(MediaError):
        await fetcher.fetch(cdn.url, tmp_path / "attachment")
    over.set()
    assert names(tmp_path) == set()


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_a_stream_is_saved_up_to_the_last_byte_allowed(tmp_path: Path) -> None:
    assert await save(pieces(b"ab", b"", b"cd"), tmp_path / "file", max_bytes=4) == 4
    assert (tmp_path / "file").read_bytes() == b"abcd"


async def test_a_stream_that_is_too_long_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    await save(pieces(b"old"), target, max_bytes=4)
    with pytest.raises(TooLargeError):
        await save(pieces(b"ab", b"cde"), target, max_bytes=4)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == {"file"}


async def test_a_cancelled_stream_leaves_no_file(tmp_path: Path) -> None:
    began = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"ab"
        began.set()
        await asyncio.Event().wait()

    saving = asyncio.create_task(save(stuck(), tmp_path / "file", max_bytes=4))
    await began.wait()
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert names(tmp_path) == set()


async def test_a_stream_of_many_small_chunks_is_saved_as_it_was_sent(tmp_path: Path) -> None:
    parts = [bytes([number % 256]) * 70_001 for number in range(40)]  # several writes
    await save(pieces(*parts), tmp_path / "file", max_bytes=40 * 70_001)
    assert (tmp_path / "file").read_bytes() == b"".join(parts)
