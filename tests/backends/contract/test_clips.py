"""The download of the clip."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING

import pytest

from bot.errors import ErrorKind, MediaError, NoClipYetError
from bot.media.files.atomic import TooLargeError
from bot.media.mp4.reader import read_mp4
from tests.support.providers.contract_world import World, another_host
from tests.support.providers.openai_setup import KEY, MAX_BYTES, bytes_of, names_in, served
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    import asyncio


async def test_a_missing_content_is_requested_again(world: World) -> None:
    world.backend = world.connect(content_pauses=(0.0, 0.0))
    update = await world.finished()
    late = Fault(status=404, body={"detail": "Video is still in-progress"})
    world.api.add_faults("content", late, late)
    assert await world.fetch(update) == bytes_of(world.clip)
    world.sink.unlink()
    world.api.add_faults("content", late, late, late)
    assert (await world.not_fetched(update)).kind is ErrorKind.TRANSIENT


async def test_a_download_returns_the_properties_of_an_mp4(world: World) -> None:
    update = await world.finished()
    info = await world.backend.fetch(update, world.sink, max_bytes=MAX_BYTES)
    assert info == read_mp4(world.sink)


async def test_a_refused_content_has_a_kind(world: World) -> None:
    update = await world.finished()
    for status, kind in (
        (404, ErrorKind.GONE),
        (410, ErrorKind.GONE),
        (401, ErrorKind.AUTH),
        (500, ErrorKind.TRANSIENT),
        (422, ErrorKind.TRANSIENT),
    ):
        world.api.add_faults("content", Fault(status=status, body={"detail": "no"}))
        assert (await world.not_fetched(update)).kind is kind, status


async def test_a_truncated_download_is_transient(world: World) -> None:
    world.backend = world.connect(fetch=0.2)
    update = await world.finished()
    for fault in (Fault(cut=True), Fault(reset=True), Fault(hang=True)):
        world.api.add_faults("content", fault)
        assert (await world.not_fetched(update)).kind is ErrorKind.TRANSIENT, fault


async def test_a_file_that_is_not_an_mp4_or_is_too_large_is_refused(world: World) -> None:
    update = await world.finished()
    for body in (b"<html>Sorry</html>", b"", b'{"status": "ok"}', b"{}", b"{"):
        world.api.add_faults("content", Fault(status=200, body=body))
        with pytest.raises(MediaError, match="not an MP4"):
            await world.fetch(update)
        assert not names_in(world.sink.parent), body
    with pytest.raises(TooLargeError):
        await world.backend.fetch(update, world.sink, max_bytes=1000)
    assert not names_in(world.sink.parent)


async def test_a_page_json_or_nothing_is_only_no_clip_yet(world: World) -> None:
    update = await world.finished()
    for status, body in (
        (200, b"<html>Maintenance</html>"),
        (200, b""),
        (200, {"error": {"message": "not ready"}}),
        (200, {"id": "v", "status": "processing"}),
        (200, {"url": None}),
        (200, []),
        (202, {"status": "processing"}),
        (202, b""),
        (204, None),
    ):
        world.api.add_faults("content", Fault(status=status, body=body))
        with pytest.raises(NoClipYetError):
            await world.fetch(update)
    half = bytes_of(world.clip)[: world.clip.stat().st_size // 2]
    for body in (half, b"noise" * 500_000):
        world.api.add_faults("content", Fault(status=200, body=body))
        with pytest.raises(MediaError) as caught:
            await world.fetch(update)
        assert not isinstance(caught.value, NoClipYetError)


async def test_a_content_that_is_refused_for_a_while_is_not_gone(world: World) -> None:
    update = await world.finished()
    for status in (302, 400, 403, 409, 423, 425, 429, 500, 503):
        world.api.add_faults("content", Fault(status=status, body={"error": "later"}))
        assert (await world.not_fetched(update)).kind is not ErrorKind.GONE, status


async def test_a_complete_clip_with_a_wrong_length_is_accepted(world: World) -> None:
    content = bytes_of(world.clip)
    bodies = [(gzip.compress(content), b"Content-Encoding: gzip\r\n"), (content, b"")]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body, encoding = bodies.pop()
        length = len(content) + 500_000
        writer.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (encoding, length))
        writer.write(body)
        await writer.drain()

    update = await world.finished()
    async with served(answer) as port:
        world.backend = world.connect(f"http://127.0.0.1:{port}/v1")
        for _ in range(2):
            assert await world.fetch(update) == content
    assert not bodies


async def test_a_redirect_is_followed_without_the_key(world: World) -> None:
    async with another_host(world.clip) as (host, requests):
        world.backend = world.connect(result_origins=(host,))
        update = await world.finished()
        location = {"Location": f"{host}/v.mp4?sig=1"}
        world.api.add_faults("content", Fault(status=302, headers=location))
        assert await world.fetch(update) == bytes_of(world.clip)
    assert world.api.key_in(world.api.made("GET")[-1].headers) == KEY
    (request,) = requests
    assert request.query_string == "sig=1"
    assert KEY not in str(request.headers)


async def test_a_result_in_a_private_network_is_not_downloaded(world: World) -> None:
    async with another_host(world.clip) as (host, requests):
        update = await world.finished()
        world.api.add_faults("content", Fault(status=302, headers={"Location": f"{host}/v.mp4"}))
        assert "PrivateAddressError" in (await world.not_fetched(update)).message
    assert not requests


async def test_a_content_may_be_json_with_a_link(world: World) -> None:
    async with another_host(world.clip) as (host, requests):
        world.backend = world.connect(result_origins=(host,))
        update = await world.finished()
        for note in ({"url": f"{host}/v.mp4"}, {"data": [{"url": f"{host}/v.mp4"}]}):
            world.api.add_faults("content", Fault(status=200, body=note))
            assert await world.fetch(update) == bytes_of(world.clip)
    assert len(requests) == 2
    assert KEY not in str([request.headers for request in requests])


async def test_a_content_may_be_json_with_base64(world: World) -> None:
    update = await world.finished()
    text = base64.b64encode(bytes_of(world.clip)).decode()
    for note in ({"b64_json": text}, {"data": [{"b64_json": text}]}):
        world.api.add_faults("content", Fault(status=200, body=note))
        assert await world.fetch(update) == bytes_of(world.clip)
    assert names_in(world.sink.parent) == ["v.mp4"]


async def test_a_job_may_name_the_address_of_its_result(world: World) -> None:
    ref = await world.submit()
    for url, named in (("https://cdn.example/v.mp4", True), ("file:///etc/passwd", False)):
        world.api.shape = lambda job, url=url: job | {"status": "done", "url": url}
        assert (await world.backend.poll(ref)).result_url == (url if named else None)
