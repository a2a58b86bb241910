from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.backends import gemini_formats
from bot.backends.base import Listing, RemoteState
from bot.errors import BackendError, ErrorKind, MediaError, StartupError, WebhookError
from tests.clips import make_clip
from tests.contract import GEMINI
from tests.gemini_api import GeminiApi, answered
from tests.openai_setup import KEY, MAX_BYTES, NOW, bytes_of, served
from tests.stand_in import Fault
from tests.wire import open_wire, query

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.backends.base import BackendUpdate
    from bot.backends.gemini import Gemini
    from bot.model import VideoRequest

REQUEST = GEMINI.request


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def api(clip: Path) -> AsyncIterator[GeminiApi]:
    async with GeminiApi(clip=clip, clock=lambda: NOW) as server:
        yield server


def connected(api: GeminiApi, **settings: Any) -> Gemini:
    backend: Any = GEMINI.connect(api.base_url, **settings)
    return backend


@pytest.fixture
async def backend(api: GeminiApi) -> AsyncIterator[Gemini]:
    opened = connected(api)
    yield opened
    await opened.close()


async def submit(backend: Gemini, request: VideoRequest = REQUEST) -> str:
    return (await backend.submit(request, create_key="k")).ref


async def refusal(backend: Gemini, request: VideoRequest = REQUEST) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await submit(backend, request)
    return caught.value


async def finished(api: GeminiApi, backend: Gemini, **result: str) -> BackendUpdate:
    """Have a video made; `result` is what its content says instead."""
    ref = await submit(backend)
    api.finish(ref)
    if result:
        api.jobs[ref]["steps"] = answered({"type": "video"} | result)
    return await backend.poll(ref)


async def fetched(backend: Gemini, update: BackendUpdate, folder: Path) -> bytes:
    await backend.fetch(update, folder / "v.mp4", max_bytes=MAX_BYTES)
    return bytes_of(folder / "v.mp4")


# --- the create ---


async def test_the_create_says_the_request_and_where_the_result_shall_be(
    api: GeminiApi, backend: Gemini
) -> None:
    await submit(backend)
    (call,) = api.made("POST")
    assert call.path == "/v1/interactions"
    assert call.headers["Content-Type"] == "application/json"
    assert call.form == {
        "model": "gemini-omni-1.2-flash",
        "input": REQUEST.prompt,
        "background": True,
        "store": True,
        "response_format": {
            "type": "video",
            "resolution": "720p",
            "aspect_ratio": "16:9",
            "duration": "8s",
            "delivery": "uri",
        },
    }


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ("640x360", ("16:9", "360p")),
        ("720x1280", ("9:16", "720p")),
        ("1920x1080", ("16:9", "1080p")),
        ("2160x3840", ("9:16", "4k")),
    ],
)
async def test_a_size_is_an_aspect_ratio_and_a_resolution(
    api: GeminiApi, backend: Gemini, size: str, shape: tuple[str, str]
) -> None:
    await submit(backend, replace(REQUEST, size=size))
    asked = api.made("POST")[0].form["response_format"]
    assert (asked["aspect_ratio"], asked["resolution"]) == shape


@pytest.mark.parametrize("changes", [{"seconds": 2}, {"seconds": 16}, {"size": "1024x1024"}])
async def test_what_it_can_not_make_is_not_asked_for(
    api: GeminiApi, backend: Gemini, changes: dict[str, Any]
) -> None:
    error = await refusal(backend, replace(REQUEST, **changes))
    assert (type(error), error.kind) == (BackendError, ErrorKind.INVALID)
    assert not api.calls


def google(status: int, message: str, *details: dict[str, Any], word: str = "") -> Fault:
    error = {"code": status, "message": message, "status": word, "details": list(details)}
    return Fault(status=status, body={"error": error})


DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("fault", "kind", "delay"),
    [
        (google(400, "API key not valid.", word="INVALID_ARGUMENT"), ErrorKind.AUTH, None),
        (google(400, "API key expired. Renew it."), ErrorKind.AUTH, None),
        (google(403, "Permission denied", word="PERMISSION_DENIED"), ErrorKind.AUTH, None),
        (google(400, "input: must be set", word="INVALID_ARGUMENT"), ErrorKind.INVALID, None),
        (google(404, "models/x is not found", word="NOT_FOUND"), ErrorKind.INVALID, None),
        (google(429, f"{QUOTA} limit: 10", DELAY), ErrorKind.RATE, 34.5),
        (google(429, "Resource exhausted", word="RESOURCE_EXHAUSTED"), ErrorKind.RATE, None),
        (google(429, QUOTA), ErrorKind.BALANCE, None),
        (google(429, f"{QUOTA} limit: 0, model: x", DELAY), ErrorKind.BALANCE, 34.5),
        (Fault(status=429, body=[google(429, QUOTA, DELAY).body]), ErrorKind.RATE, 34.5),
        (
            Fault(status=429, body={"error": {"code": "too_many_requests", "message": "quota"}}),
            ErrorKind.RATE,
            None,
        ),
        (google(400, "Blocked", {"reason": "SAFETY"}), ErrorKind.MODERATED, None),
        (google(400, "It violates our usage guidelines"), ErrorKind.MODERATED, None),
    ],
)
async def test_a_refusal_of_google_has_a_kind(
    api: GeminiApi, backend: Gemini, fault: Fault, kind: ErrorKind, delay: float | None
) -> None:
    api.go_wrong("create", fault)
    error = await refusal(backend)
    assert (type(error), error.kind, error.retry_after) == (BackendError, kind, delay)


async def test_a_blocked_prompt_is_moderated(api: GeminiApi, backend: Gemini) -> None:
    error = await refusal(backend, replace(REQUEST, prompt="[blocked] a plan"))
    assert error.kind is ErrorKind.MODERATED
    assert not api.creates


# --- how it ends ---


@pytest.mark.parametrize(
    ("job", "kind", "message"),
    [
        ({"errors": [{"code": "SAFETY", "message": "no"}]}, ErrorKind.MODERATED, "SAFETY: no"),
        ({"errors": [{"message": "out of GPUs"}]}, ErrorKind.INTERNAL, "out of GPUs"),
        ({"error": {"code": 400, "message": "x"}, "errors": []}, ErrorKind.INVALID, "400: x"),
        ({"status": "budget_exceeded"}, ErrorKind.BALANCE, "budget_exceeded"),
        ({"status": "requires_action"}, ErrorKind.INTERNAL, "requires_action"),
        ({"status": "incomplete"}, ErrorKind.INTERNAL, "incomplete"),
        (
            {"status": "completed", "steps": answered({"type": "text", "text": "I can't."})},
            ErrorKind.INTERNAL,
            "I can't.",
        ),
        (
            {
                "status": "completed",
                "steps": answered({"type": "text", "text": "Our safety policy forbids it."}),
            },
            ErrorKind.MODERATED,
            "safety policy",
        ),
        ({"status": "completed", "steps": answered()}, ErrorKind.INTERNAL, "holds no video"),
    ],
)
async def test_an_interaction_without_a_video_has_failed(
    api: GeminiApi, backend: Gemini, job: dict[str, Any], kind: ErrorKind, message: str
) -> None:
    ref = await submit(backend)
    api.jobs[ref] |= {"status": "failed"} | job
    update = await backend.poll(ref)
    assert update.state is RemoteState.FAILED
    assert update.error
    assert update.error.kind is kind
    assert message in update.error.message


async def test_what_is_finished_can_not_be_stopped(api: GeminiApi, backend: Gemini) -> None:
    ref = await submit(backend)
    api.finish(ref)
    assert not await backend.cancel(ref)
    assert not await backend.cancel("another")


async def test_nothing_is_known_of_a_create_in_doubt(api: GeminiApi, backend: Gemini) -> None:
    ref = await submit(backend)
    found = await backend.find(REQUEST, since=NOW, hints=(ref,))
    assert found == Listing(refs=(), complete=False)
    assert len(api.calls) == 1


def test_no_webhook_is_believed() -> None:
    with pytest.raises(WebhookError):
        GEMINI.connect("http://127.0.0.1:1").parse_webhook({}, b"{}", now=NOW)


# --- the clip ---


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
async def test_a_file_that_nobody_describes_is_fetched_all_the_same(
    api: GeminiApi, backend: Gemini, tmp_path: Path, clip: Path, fault: Fault
) -> None:
    api.go_wrong("file", fault)
    update = await finished(api, backend)
    assert update.state is RemoteState.DONE
    assert await fetched(backend, update, tmp_path) == bytes_of(clip)


@pytest.mark.parametrize(
    "uri", ["files/clip-1", "{base}/v1/files/clip-1", "{base}/v1beta/files/clip-1:download"]
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


async def test_a_result_inside_is_not_asked_for_elsewhere(
    api: GeminiApi, backend: Gemini, tmp_path: Path
) -> None:
    for uri in (
        "http://127.0.0.1:1/v.mp4",
        "http://[::1]:1/v.mp4",
        "gs://bucket/v.mp4",
        "http://cdn.example:port/v.mp4",
    ):
        update = await finished(api, backend, uri=uri)
        with pytest.raises(Exception, match=r"PrivateAddressError|InvalidURL|no MP4"):
            await fetched(backend, update, tmp_path)


async def test_a_result_may_stand_in_the_answers_and_be_larger_than_they_may_be(
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
    again = connected(api)  # as after a restart: what is stored there can be had again
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
    """Send an interaction with a clip in it, piece by piece."""
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


# --- the whole bot ---


def chosen(api: GeminiApi) -> dict[str, Any]:
    return {
        "video_backend": "gemini",
        "gemini_base_url": api.base_url,
        "gemini_api_key": "gm-made-up",
        "public_url": "",
    }


async def test_a_video_comes_from_the_command_to_the_card(tmp_path: Path) -> None:
    async with (
        open_wire(tmp_path) as wire,
        GeminiApi(clip=wire.clip) as api,
        wire.bot(**chosen(api)),
    ):
        message = await wire.video("A cat")
        api.finish(await api.created())
        await wire.delivered(message)
        await wire.settled()
    (call,) = api.made("POST")
    assert call.form["model"] == "gemini-omni-1.2-flash"
    assert query(wire.data_dir, "SELECT backend FROM jobs") == [("gemini",)]


async def test_a_synchronous_result_outlives_a_restart(tmp_path: Path) -> None:
    async with (
        open_wire(tmp_path) as wire,
        GeminiApi(clip=wire.clip, synchronous=True, inline=True) as api,
    ):
        api.go_wrong("retrieve", *[Fault(status=503)] * 200)
        async with wire.bot(**chosen(api)):
            message = await wire.video("A cat")
            await api.wait_for("GET", "/v1/interactions")
        api.mend("retrieve")
        async with wire.bot(**chosen(api)):
            await wire.delivered(message)
            await wire.settled()
    assert len(api.made("POST")) == 1


@pytest.mark.parametrize(
    "fault",
    [Fault(after=True, reset=True), Fault(cut=True), Fault(after=True, status=500)],
    ids=["reset", "cut", "500"],
)
async def test_a_create_that_breaks_off_is_asked_about_and_never_repeated(
    tmp_path: Path, fault: Fault
) -> None:
    async with open_wire(tmp_path) as wire, GeminiApi(clip=wire.clip) as api:
        api.go_wrong("create", fault)
        async with wire.bot(**chosen(api)):
            message = await wire.video("A cat")
            await wire.card_with(message, "I can't tell whether the video service accepted this")
            await wire.settled("undecided")
    assert len(api.made("POST")) == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"video_seconds": 2}, "VIDEO_SECONDS: Gemini Omni makes clips of 3 to 15 seconds, not"),
        ({"video_size": "1024x1024"}, "VIDEO_SIZE: Gemini Omni makes 640x360, 360x640, 1280x720,"),
    ],
)
async def test_presets_that_it_can_not_make_are_explained_at_the_start(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    async with open_wire(tmp_path) as wire, GeminiApi() as api:
        with pytest.raises(StartupError) as caught:
            async with wire.bot(**(chosen(api) | settings)):
                pass
    assert str(caught.value).startswith(sentence)


# --- the price ---


def test_a_price_is_told_where_a_list_has_it() -> None:
    price = gemini_formats.list_price(model="gemini-omni-1.2-flash", seconds=8, size="1280x720")
    assert price
    assert price.dollars == pytest.approx(0.81, abs=0.005)
    assert price.as_of == "2026-11"


@pytest.mark.parametrize(
    ("model", "size"),
    [("gemini-omni-1.2-flash", "2x2"), ("another", "1280x720")],
)
def test_no_price_is_invented(model: str, size: str) -> None:
    assert gemini_formats.list_price(model=model, seconds=8, size=size) is None
