from __future__ import annotations

import asyncio
import contextlib
import socket
import warnings
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from bot.backends.base import (
    Capabilities,
    RemoteState,
    VideoBackend,
)
from bot.backends.openai_videos import OpenAIVideos
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.model import VideoRequest
from tests.openai_setup import (
    KEY,
    MAX_BYTES,
    NOW,
    REQUEST,
    SECRET,
    bytes_of,
    names_in,
    refusal,
    served,
    submit,
)
from tests.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest_plugins = ["tests.openai_fixtures"]


async def test_a_job_goes_from_the_prompt_to_the_clip(
    api: VideosApi, backend: OpenAIVideos, clip: Path, tmp_path: Path
) -> None:
    update = await backend.submit(REQUEST, create_key="key-1")
    assert (update.state, update.progress) == (RemoteState.QUEUED, 0)
    api.progress(update.ref, 45)
    running = await backend.poll(update.ref)
    assert (running.state, running.progress) == (RemoteState.RUNNING, 45)
    api.finish(update.ref)
    end = await backend.poll(update.ref)
    assert (end.state, end.progress, end.expires_at) == (RemoteState.DONE, 100, NOW + 3600)
    await backend.fetch(end, tmp_path / "video.mp4", max_bytes=MAX_BYTES)
    assert bytes_of(tmp_path / "video.mp4") == bytes_of(clip)
    assert names_in(tmp_path) == ["video.mp4"]


def test_the_adapter_is_a_video_backend() -> None:
    backend: VideoBackend = OpenAIVideos(base_url="http://127.0.0.1:1/v1", api_key=None)
    assert backend.capabilities == Capabilities(webhooks=False)
    assert backend.name == "openai"


async def test_the_form_holds_the_request(api: VideosApi, backend: OpenAIVideos) -> None:
    await submit(backend)
    (call,) = api.made("POST")
    assert call.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert call.headers["Authorization"] == f"Bearer {KEY}"
    assert call.form == {
        "prompt": REQUEST.prompt,
        "model": "sora-2",
        "seconds": "8",
        "size": "1280x720",
    }


async def test_a_model_of_none_is_left_to_the_server(api: VideosApi, backend: OpenAIVideos) -> None:
    request = VideoRequest(prompt="Привет, 虹", model=None, seconds=4, size="1280x720")
    await submit(backend, request)
    (call,) = api.made("POST")
    assert call.form == {"prompt": "Привет, 虹", "seconds": "4", "size": "1280x720"}


async def test_without_a_key_nothing_of_the_environment_is_sent(
    api: VideosApi, connect: Callable[..., OpenAIVideos], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    backend = connect(api.base_url, api_key=None)
    ref = await submit(backend)
    await backend.poll(ref)
    await backend.cancel(ref)
    assert len(api.calls) == 3
    assert not [
        call
        for call in api.calls
        if "Authorization" in call.headers or "sk-from-the-environment" in str(call.headers)
    ]


async def test_the_create_key_goes_into_a_declared_header(
    clip: Path, connect: Callable[..., OpenAIVideos]
) -> None:
    async with VideosApi(clip=clip, idempotency_header="Idempotency-Key") as api:
        backend = connect(api.base_url, idempotency_header="Idempotency-Key")
        first = await backend.submit(REQUEST, create_key="key-1")
        again = await backend.submit(REQUEST, create_key="key-1")
        other = await backend.submit(REQUEST, create_key="key-2")
    assert [call.headers["Idempotency-Key"] for call in api.made("POST")] == [
        "key-1",
        "key-1",
        "key-2",
    ]
    assert first.ref == again.ref != other.ref


async def test_without_a_declared_header_none_is_sent(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    await submit(backend)
    assert "key-1" not in str(api.calls)


DOUBTFUL = {
    "500": Fault(status=500, body={"error": {"message": "oops"}}),
    "502 in HTML": Fault(status=502, body="<html>Bad gateway</html>"),
    "503 that asks for a retry": Fault(
        status=503, headers={"Retry-After": "0", "x-should-retry": "true"}
    ),
    "408": Fault(status=408),
    "409": Fault(status=409),
    "a redirect": Fault(status=307, headers={"Location": "/v1/videos"}),
    "a reset before the create": Fault(reset=True),
    "a reset after the create": Fault(after=True, reset=True),
    "half an answer": Fault(cut=True),
    "broken JSON": Fault(status=200, body='{"id": "video_1", "status": '),
    "no JSON": Fault(status=200, body="OK"),
    "no id": Fault(status=200, body={"status": "queued"}),
    "an empty id": Fault(status=200, body={"id": "", "status": "queued"}),
    "an id that is a list": Fault(status=200, body={"id": ["a"], "status": "queued"}),
    "an id that climbs": Fault(status=200, body={"id": "..", "status": "queued"}),
    "a JSON bomb": Fault(status=200, body="[" * 200_000),
    "no body": Fault(status=204),
    "an endless answer": Fault(status=200, body=b'{"id": "' + b"x" * 5_000_000),
}


@pytest.mark.parametrize("fault", DOUBTFUL.values(), ids=DOUBTFUL)
async def test_a_doubtful_create_is_posted_once(
    api: VideosApi, backend: OpenAIVideos, fault: Fault
) -> None:
    api.go_wrong("create", fault)
    with pytest.raises(UnconfirmedSubmitError) as caught:
        await submit(backend)
    assert KEY not in str(caught.value)
    assert len(api.made("POST")) == 1
    assert len(api.calls) == 1


async def test_a_create_without_an_answer_in_time_is_posted_once(
    api: VideosApi, connect: Callable[..., OpenAIVideos]
) -> None:
    api.go_wrong("create", Fault(hang=True))
    with pytest.raises(UnconfirmedSubmitError, match="no answer"):
        await submit(connect(api.base_url, submit_timeout=1.0))
    assert len(api.made("POST")) == 1


async def test_a_create_whose_answer_drips_ends_at_the_total_time_out(
    connect: Callable[..., OpenAIVideos],
) -> None:
    posts = 0

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal posts
        posts += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)

    async with served(drip) as port:
        with pytest.raises(UnconfirmedSubmitError, match="TimeoutError"):
            await submit(connect(f"http://127.0.0.1:{port}/v1", submit_timeout=0.3))
    assert posts == 1


async def test_a_refused_connection_means_that_nothing_was_created(
    connect: Callable[..., OpenAIVideos],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await refusal(connect(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert type(error) is BackendError
    assert error.kind is ErrorKind.TRANSIENT


async def test_an_unknown_host_means_that_nothing_was_created(
    connect: Callable[..., OpenAIVideos], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    error = await refusal(connect("http://nowhere.invalid/v1"))
    assert type(error) is BackendError
    assert error.kind is ErrorKind.TRANSIENT


async def test_a_failed_tls_handshake_means_that_nothing_was_created(
    api: VideosApi, connect: Callable[..., OpenAIVideos]
) -> None:
    error = await refusal(connect(api.base_url.replace("http:", "https:")))
    assert type(error) is BackendError
    assert error.kind is ErrorKind.TRANSIENT
    assert not api.calls


MODERATION = {
    "error": {
        "code": "moderation_blocked",
        "message": "Your request was blocked by our moderation system.",
        "type": "image_generation_user_error",
    }
}
REFUSED = {
    "a bad value": (400, {"error": {"message": "Invalid size"}}, ErrorKind.INVALID),
    "moderation": (400, MODERATION, ErrorKind.MODERATED),
    "moderation with 403": (403, MODERATION, ErrorKind.MODERATED),
    "a policy": (400, {"detail": "content_policy_violation"}, ErrorKind.MODERATED),
    "a prompt that is echoed": (
        422,
        {"detail": [{"type": "missing", "msg": "Field required", "input": "moderation"}]},
        ErrorKind.INVALID,
    ),
    "no key": (401, {"error": "Unauthorized"}, ErrorKind.AUTH),
    "a forbidden model": (403, {"error": {"message": "no access"}}, ErrorKind.AUTH),
    "no money": (402, {}, ErrorKind.BALANCE),
    "no quota": (429, {"error": {"code": "insufficient_quota"}}, ErrorKind.BALANCE),
    "a billing limit": (
        400,
        {"error": {"code": "billing_hard_limit_reached"}},
        ErrorKind.BALANCE,
    ),
    "a wrong address": (404, "404 page not found", ErrorKind.INVALID),
    "a prompt too long": (413, "", ErrorKind.INVALID),
    "a list of errors": (422, [{"msg": "x"}], ErrorKind.INVALID),
    "too many at once": (429, {"error": {"code": 429}}, ErrorKind.RATE),
}


@pytest.mark.parametrize(("status", "body", "kind"), REFUSED.values(), ids=REFUSED)
async def test_a_definite_refusal_has_a_kind(
    api: VideosApi, backend: OpenAIVideos, status: int, body: object, kind: ErrorKind
) -> None:
    api.go_wrong("create", Fault(status=status, body=body))
    error = await refusal(backend)
    assert type(error) is BackendError
    assert error.kind is kind
    assert len(api.made("POST")) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), 0.0),
        ("-3", 0.0),
        ("inf", 86_400.0),
        ("nan", None),
        ("soon", None),
        (None, None),
    ],
)
async def test_retry_after_is_read_as_seconds(
    api: VideosApi, backend: OpenAIVideos, header: str | None, seconds: float | None
) -> None:
    headers = {"Retry-After": header} if header else {}
    api.go_wrong("create", Fault(status=429, body={}, headers=headers))
    assert (await refusal(backend)).retry_after == seconds
    assert len(api.made("POST")) == 1


async def test_a_refused_key_is_in_no_message(clip: Path, connect: Callable[..., Any]) -> None:
    async with VideosApi(clip=clip, key="another") as api:
        error = await refusal(connect(api.base_url))
    assert error.kind is ErrorKind.AUTH
    assert "Incorrect API key provided: ***" in error.message
    assert KEY not in repr(connect("http://127.0.0.1:1/v1", webhook_secrets=(SECRET,)))
    assert SECRET not in repr(connect("http://127.0.0.1:1/v1", webhook_secrets=(SECRET,)))


async def test_a_long_message_is_cut_and_loses_the_secrets_of_links(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    text = "see https://cdn.example/a.mp4?sig=secret\n\x07" + "x" * 10_000
    api.go_wrong("create", Fault(status=400, body={"error": {"message": text}}))
    message = (await refusal(backend)).message
    assert message.startswith("HTTP 400 see https://cdn.example/a.mp4?... x")
    assert len(message) < 400


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"id": "v1", "status": "completed", "progress": 100}, RemoteState.DONE),
        ({"id": "v1", "status": "failed", "error": "no"}, RemoteState.FAILED),
        ({"id": "v1", "data": [{"url": "https://cdn.example/v.mp4"}]}, RemoteState.DONE),
        ({"id": 17}, RemoteState.RUNNING),
        ({"data": {"id": "v1", "status": "pending"}}, RemoteState.QUEUED),
    ],
)
async def test_the_answer_to_the_create_may_be_the_end(
    api: VideosApi, backend: OpenAIVideos, body: dict[str, Any], state: RemoteState
) -> None:
    api.go_wrong("create", Fault(status=202, body=body))
    update = await backend.submit(REQUEST, create_key="k")
    assert update.state is state
    assert update.ref == str(body.get("id", "v1"))


async def test_a_create_that_answers_with_a_failed_job_is_that_job(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    body = {"id": "v1", "status": "failed", "error": {"code": 500, "message": "out of memory"}}
    api.go_wrong("create", Fault(status=500, body=body))
    update = await backend.submit(REQUEST, create_key="k")
    assert (update.ref, update.state) == ("v1", RemoteState.FAILED)
    assert update.error
    assert update.error.kind is ErrorKind.INTERNAL


async def test_the_sdks_deprecation_is_not_heard(api: VideosApi, backend: OpenAIVideos) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await submit(backend) in api.jobs
