from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, MediaError
from tests.support.media.clips import make_clip
from tests.support.providers.contract import GEMINI
from tests.support.providers.gemini_api import GeminiApi
from tests.support.providers.gemini_setup import REQUEST, connected, fetched, finished, submit
from tests.support.providers.openai_setup import KEY, MAX_BYTES, NOW, bytes_of, served
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.backends.gemini.adapter import Gemini


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def api(clip: Path) -> AsyncIterator[GeminiApi]:
    async with GeminiApi(clip=clip, clock=lambda: NOW) as server:
        yield server


@pytest.fixture
async def backend(api: GeminiApi) -> AsyncIterator[Gemini]:
    opened = connected(api)
    yield opened
    await opened.close()


async def test_a_file_that_is_not_ready_keeps_the_job_running(
    api: GeminiApi, backend: Gemini, tmp_path: Path, clip: Path
) -> None:
    ref = await submit(backend)
    api.finish(ref)
    (file,) = api.files.values()
    file["state"] = "PROCESSING"
    running = await backend.poll(ref)
    assert running.state is RemoteState.RUNNING
    with pytest.raises(BackendError) as caught:
        await fetched(backend, running, tmp_path)
    assert caught.value.kind is ErrorKind.TRANSIENT
    file["state"] = "ACTIVE"
    assert await fetched(backend, await backend.poll(ref), tmp_path) == bytes_of(clip)
    file["state"] = "FAILED"
    failed = await backend.poll(ref)
    assert (failed.state, failed.error and failed.error.kind) == (
        RemoteState.FAILED,
        ErrorKind.INTERNAL,
    )


@pytest.mark.parametrize("fault", [Fault(status=403), Fault(reset=True), Fault(body="[]")])
async def test_a_file_without_metadata_is_downloaded_all_the_same(
    api: GeminiApi, backend: Gemini, tmp_path: Path, clip: Path, fault: Fault
) -> None:
    api.add_faults("file", fault)
    update = await finished(api, backend)
    assert update.state is RemoteState.DONE
    assert await fetched(backend, update, tmp_path) == bytes_of(clip)


@pytest.mark.parametrize(
    "uri",
    [
        "files/clip-1",
        "{base}/v1/files/clip-1",
        "{base}/v1beta/files/clip-1:download",
        "https://generativelanguage.googleapis.com/v1beta/files/clip-1:download?alt=media",
    ],
)
async def test_a_file_may_be_named_in_several_ways(
    api: GeminiApi, backend: Gemini, tmp_path: Path, clip: Path, uri: str
) -> None:
    api.files["clip-1"] = {"state": "ACTIVE"}
    update = await finished(api, backend, uri=uri.format(base=api.base_url))
    assert await fetched(backend, update, tmp_path) == bytes_of(clip)
    assert {api.key_in(call.headers) for call in api.calls} == {KEY}


async def test_a_result_on_another_host_is_fetched_without_the_key(
    api: GeminiApi, tmp_path: Path, clip: Path
) -> None:
    async with GeminiApi(clip=clip) as other:
        other.files["clip-1"] = {"state": "ACTIVE"}
        backend = connected(api, result_origins=(other.base_url,))
        link = f"{other.base_url}/v1/files/clip-1:download?alt=media"
        update = await finished(api, backend, uri=link)
        assert update.result_url == link
        assert await fetched(backend, update, tmp_path) == bytes_of(clip)
        (call,) = other.calls
        await backend.close()
    assert KEY not in str(call.headers)


async def test_a_result_at_a_private_or_invalid_address_is_refused(
    api: GeminiApi, backend: Gemini, tmp_path: Path
) -> None:
    for uri in (
        "http://127.0.0.1:1/v.mp4",
        "http://[::1]:1/v.mp4",
        "gs://bucket/v.mp4",
        "http://cdn.example:port/v.mp4",
    ):
        update = await finished(api, backend, uri=uri)
        with pytest.raises(Exception, match=r"PrivateAddressError|InvalidURL|not an MP4"):
            await fetched(backend, update, tmp_path)


async def test_an_inline_result_may_be_larger_than_the_limit_of_answers(
    api: GeminiApi, backend: Gemini, tmp_path: Path, clip: Path
) -> None:
    api.inline = api.synchronous = True
    picture = {"type": "image", "mime_type": "image/png", "data": "iVBORw0KGgo" * 600_000}

    def with_a_picture(job: dict[str, Any]) -> dict[str, Any]:
        thought, said = job["steps"]
        return job | {"steps": [thought, said | {"content": [picture, *said["content"]]}]}

    api.shape = with_a_picture
    update = await backend.submit(REQUEST, create_key="k")
    assert update.state is RemoteState.DONE
    again = connected(api)  # as after a restart: the provider has stored the interaction
    done = await again.poll(update.ref)
    assert (done.state, done.result_url) == (RemoteState.DONE, None)
    assert await fetched(again, done, tmp_path) == bytes_of(clip)
    await again.close()
    assert len(api.made("POST")) == 1


CLIP_BYTES = 24 * 1024 * 1024
PIECE = b"A" * 64 * 1024


async def answer_with_a_large_clip(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send an interaction with an inline clip, in many pieces."""
    await reader.readuntil(b"\r\n\r\n")
    before = b'{"id": "v1", "status": "completed", "steps": [{"type": "model_output", "content": ['
    before += b'{"type": "video", "data": "AAAAIGZ0eXBpc29t'
    after = b'"}]}]}'
    count = CLIP_BYTES // len(PIECE)
    length = len(before) + count * len(PIECE) + len(after)
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    writer.write(f"{head}{length}\r\n\r\n".encode() + before)
    for _ in range(count):
        writer.write(PIECE)
        await writer.drain()
    writer.write(after)
    await writer.drain()


async def test_a_large_clip_in_the_answers_is_never_held_in_memory(tmp_path: Path) -> None:
    async with served(answer_with_a_large_clip) as port:
        backend = GEMINI.connect(f"http://127.0.0.1:{port}")
        tracemalloc.start()
        try:
            update = await backend.submit(REQUEST, create_key="k")
            done = await backend.poll(update.ref)
            with pytest.raises(MediaError, match="no index"):
                await backend.fetch(done, tmp_path / "v.mp4", max_bytes=MAX_BYTES)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            await backend.close()
    assert done.state is RemoteState.DONE
    assert peak < CLIP_BYTES // 3
