from __future__ import annotations

import base64
import contextlib
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bot.errors import BackendError, ErrorKind, MediaError
from tests.support.providers.openai_setup import (
    KEY,
    MAX_BYTES,
    bytes_of,
    done,
    finished,
    names_in,
    served,
    submit,
)
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.backends.base import (
        BackendUpdate,
    )
    from bot.backends.openai_videos import OpenAIVideos

pytest_plugins = ["tests.support.providers.openai_fixtures"]


async def fetch(backend: OpenAIVideos, update: BackendUpdate, sink: Path) -> bytes:
    await backend.fetch(update, sink, max_bytes=MAX_BYTES)
    return bytes_of(sink)


async def failed_fetch(backend: OpenAIVideos, update: BackendUpdate, sink: Path) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await backend.fetch(update, sink, max_bytes=MAX_BYTES)
    assert not names_in(sink.parent)
    return caught.value


async def test_the_content_is_requested_without_a_variant(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path
) -> None:
    update = await finished(api, backend)
    await fetch(backend, update, tmp_path / "v.mp4")
    call = api.made("GET")[-1]
    assert call.path.endswith(f"{update.ref}/content")
    assert not call.query


async def test_a_compressed_clip_is_decompressed(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path, clip: Path
) -> None:
    update = await finished(api, backend)
    packed = gzip.compress(bytes_of(clip))
    api.add_faults("content", Fault(status=200, body=packed, headers={"Content-Encoding": "gzip"}))
    assert await fetch(backend, update, tmp_path / "v.mp4") == bytes_of(clip)


async def test_broken_compression_is_transient(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path
) -> None:
    update = await finished(api, backend)
    api.add_faults(
        "content", Fault(status=200, body=b"no gzip", headers={"Content-Encoding": "gzip"})
    )
    error = await failed_fetch(backend, update, tmp_path / "v.mp4")
    assert error.kind is ErrorKind.TRANSIENT


@pytest.mark.parametrize("kept", [0.5, 0.98])
async def test_a_clip_that_was_cut_off_before_it_was_sent_is_refused(
    connect: Callable[..., OpenAIVideos], tmp_path: Path, clip: Path, kept: float
) -> None:
    content = bytes_of(clip)
    half = content[: int(len(content) * kept)]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(half), half))
        await writer.drain()

    async with served(answer) as port:
        backend = connect(f"http://127.0.0.1:{port}/v1")
        with pytest.raises(MediaError, match=r"cut off|no index"):
            await fetch(backend, done("v1"), tmp_path / "v.mp4")
    assert not names_in(tmp_path)


@contextlib.asynccontextmanager
async def another_host(clip: Path) -> AsyncIterator[tuple[str, list[web.Request]]]:
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        if request.path != "/v.mp4":
            return web.Response(status=int(request.path[1:]), text="secret body")
        return web.FileResponse(clip)

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/v.mp4", "http://[/"])
async def test_a_redirect_to_anything_but_http_is_refused(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path, location: str
) -> None:
    update = await finished(api, backend)
    api.add_faults("content", Fault(status=302, headers={"Location": location}))
    error = await failed_fetch(backend, update, tmp_path / "v.mp4")
    assert error.kind is ErrorKind.TRANSIENT


async def test_a_redirect_loop_ends(api: VideosApi, backend: OpenAIVideos, tmp_path: Path) -> None:
    update = await finished(api, backend)
    here = Fault(status=302, headers={"Location": f"{api.base_url}/videos/{update.ref}/content"})
    api.add_faults("content", *[here] * 20)
    await failed_fetch(backend, update, tmp_path / "v.mp4")
    assert len(api.made("GET", f"/videos/{update.ref}/content")) < 10


@pytest.mark.parametrize(
    "case",
    [
        (200, '{{"url": "{link}"}}'),
        (200, ' {{"data": [{{"url": "{link}"}}]}}'),
        (200, '{{"data": {{"url": "{link}"}}}}'),
        (400, '{{"detail": "Video is in cloud storage. Please use the cloud URL: {link}"}}'),
    ],
)
async def test_a_content_route_may_answer_with_a_link(
    api: VideosApi,
    connect: Callable[..., OpenAIVideos],
    tmp_path: Path,
    clip: Path,
    case: tuple[int, str],
) -> None:
    status, note = case
    async with another_host(clip) as (host, requests):
        backend = connect(api.base_url, result_origins=(host,))
        update = await finished(api, backend)
        body = note.format(link=f"{host}/v.mp4")
        api.add_faults("content", Fault(status=status, body=body))
        assert await fetch(backend, update, tmp_path / "v.mp4") == bytes_of(clip)
    (request,) = requests
    assert KEY not in str(request.headers)


@pytest.mark.parametrize(
    "case",
    [
        (404, '{{"detail": "Generation is still in-progress, see {link}"}}', ErrorKind.TRANSIENT),
        (400, '{{"detail": "Not ready. Please use the cloud URL: {link}"}}', ErrorKind.TRANSIENT),
        (404, '{{"detail": "Not Found, see {link}"}}', ErrorKind.GONE),
        (404, '{{"detail": "Please use the cloud URL: {link}"}}', ErrorKind.GONE),
        (400, '{{"detail": ["Please use the cloud URL: {link}"]}}', ErrorKind.TRANSIENT),
        (400, '{{"error": {{"message": "the cloud URL: {link}"}}}}', ErrorKind.TRANSIENT),
        (400, '{{"url": "{link}"}}', ErrorKind.TRANSIENT),
        (400, '["{link}"]', ErrorKind.TRANSIENT),
    ],
)
async def test_a_link_in_any_other_refusal_is_not_followed(
    api: VideosApi,
    connect: Callable[..., OpenAIVideos],
    tmp_path: Path,
    clip: Path,
    case: tuple[int, str, ErrorKind],
) -> None:
    status, note, kind = case
    async with another_host(clip) as (host, requests):
        backend = connect(api.base_url, result_origins=(host,))
        update = await finished(api, backend)
        api.add_faults("content", Fault(status=status, body=note.format(link=f"{host}/v.mp4")))
        error = await failed_fetch(backend, update, tmp_path / "v.mp4")
    assert error.kind is kind
    assert not requests


async def test_the_result_address_waits_until_the_content_is_ready(
    api: VideosApi, connect: Callable[..., OpenAIVideos], tmp_path: Path, clip: Path
) -> None:
    api.add_faults("content", Fault(status=404, body={"detail": "Video is not ready"}))
    async with another_host(clip) as (host, requests):
        backend = connect(api.base_url, result_origins=(host,))
        ref = await submit(backend)
        update = done(ref, result_url=f"{host}/v.mp4")
        error = await failed_fetch(backend, update, tmp_path / "v.mp4")
    assert error.kind is ErrorKind.TRANSIENT
    assert not requests


async def test_a_link_to_the_server_itself_is_requested_with_the_key(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path, clip: Path
) -> None:
    update = await finished(api, backend)
    link = f"{api.base_url}/videos/{update.ref}/content"
    api.add_faults("content", Fault(status=200, body={"url": link}))
    assert await fetch(backend, update, tmp_path / "v.mp4") == bytes_of(clip)
    assert api.made("GET")[-1].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("missing", [404, 405, 400, 501])
async def test_the_result_address_is_used_if_there_is_no_content_route(
    api: VideosApi, connect: Callable[..., OpenAIVideos], tmp_path: Path, clip: Path, missing: int
) -> None:
    api.add_faults("content", Fault(status=missing, body={"detail": "Not Found"}))
    async with another_host(clip) as (host, _):
        backend = connect(api.base_url, result_origins=(host,))
        ref = await submit(backend)
        update = done(ref, result_url=f"{host}/v.mp4")
        assert await fetch(backend, update, tmp_path / "v.mp4") == bytes_of(clip)


@pytest.mark.parametrize("case", [(403, ErrorKind.GONE), (503, ErrorKind.TRANSIENT)])
async def test_a_failing_link_is_reported_without_its_body(
    api: VideosApi,
    connect: Callable[..., OpenAIVideos],
    tmp_path: Path,
    clip: Path,
    case: tuple[int, ErrorKind],
) -> None:
    status, kind = case
    async with another_host(clip) as (host, _):
        backend = connect(api.base_url, result_origins=(host,))
        update = await finished(api, backend)
        api.add_faults("content", Fault(status=200, body={"url": f"{host}/{status}"}))
        error = await failed_fetch(backend, update, tmp_path / "v.mp4")
    assert error.kind is kind
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "case", [({"b64_json": "{}"}, 0), ({"data": [{"b64_json": "{}"}]}, 3_000_000)]
)
async def test_a_clip_in_base64_is_decoded(
    api: VideosApi,
    backend: OpenAIVideos,
    tmp_path: Path,
    clip: Path,
    case: tuple[dict[str, Any], int],
) -> None:
    note, padding = case
    update = await finished(api, backend)
    content = bytes_of(clip)
    if padding:
        content += padding.to_bytes(4) + b"free" + bytes(range(250)) * (padding // 250)
        content = content[: len(bytes_of(clip)) + padding]
    text = base64.b64encode(content).decode()
    body = json.dumps(note).replace("{}", text.replace("/", r"\/"))
    api.add_faults(
        "content",
        Fault(status=200, body=body.encode(), headers={"Content-Type": "application/json"}),
    )
    assert await fetch(backend, update, tmp_path / "v.mp4") == content
    assert names_in(tmp_path) == ["v.mp4"]


async def test_base64_that_is_too_long_or_broken_is_refused(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path
) -> None:
    update = await finished(api, backend)
    for text, reason in (("A" * 1200, "830 bytes"), ("A" * 400 + "!", "broken"), ("!", "broken")):
        api.add_faults("content", Fault(status=200, body={"b64_json": text}))
        with pytest.raises(MediaError, match=reason):
            await backend.fetch(update, tmp_path / "v.mp4", max_bytes=830)
        assert not names_in(tmp_path)


async def test_a_link_may_be_a_path_at_the_provider(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path
) -> None:
    update = await finished(api, backend)
    other = await finished(api, backend)
    path = f"/v1/videos/{other.ref}/content"
    for link in (path, f"{path}?token=2"):
        api.shape = lambda job, link=link: job | {"video_url": link}
        told = await backend.poll(update.ref)
        api.add_faults("content", Fault(status=404, body={"detail": "no"}))
        await backend.fetch(told, tmp_path / "v.mp4", max_bytes=MAX_BYTES)
    for note in ({"url": path}, {"data": [{"url": path}]}):
        api.add_faults("content", Fault(status=200, body=note))
        await backend.fetch(update, tmp_path / "v.mp4", max_bytes=MAX_BYTES)
    assert {api.key_in(call.headers) for call in api.made("GET")} == {KEY}


async def test_a_path_of_anything_but_a_clip_is_no_link(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    update = await finished(api, backend)
    for link in ("/v1/videos/1", "/", "//", "files/v.mp4", "/files/v.jpg", "file:///v.mp4"):
        api.shape = lambda job, link=link: job | {"video_url": link}
        assert (await backend.poll(update.ref)).result_url is None, link
