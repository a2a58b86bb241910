from __future__ import annotations

import gzip
import json
import logging
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import (
    RemoteState,
)
from bot.errors import ErrorKind
from tests.openai_setup import (
    MAX_BYTES,
    NOW,
    finished,
    refusal,
    submit,
)
from tests.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.backends.openai_videos import OpenAIVideos

pytest_plugins = ["tests.openai_fixtures"]


WORDS = {
    RemoteState.QUEUED: ["queued", "pending", "starting", "submitted", "unknown", "QUEUED"],
    RemoteState.RUNNING: ["in_progress", "processing", "running", "throttled", "in-progress"],
    RemoteState.DONE: ["completed", "succeeded", "succeed", "done", "Completed"],
    RemoteState.FAILED: [
        *("failed", "error", "cancelled", "canceled", "expired", "deleted", "incomplete"),
    ],
}


@pytest.mark.parametrize(
    ("word", "state"), [(word, state) for state, words in WORDS.items() for word in words]
)
async def test_status_words_come_down_to_four_states(
    api: VideosApi, backend: OpenAIVideos, word: str, state: RemoteState
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"status": word}
    update = await backend.poll(ref)
    assert update.state is state
    assert (update.error is not None) == (state is RemoteState.FAILED)


async def test_an_unknown_status_word_counts_as_running_and_is_logged_once(
    api: VideosApi, backend: OpenAIVideos, caplog: pytest.LogCaptureFixture
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"status": "Dreaming\n"}
    with caplog.at_level(logging.WARNING):
        states = [(await backend.poll(ref)).state for _ in range(3)]
    assert states == [RemoteState.RUNNING] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "backend.status_unknown backend=openai word='dreaming'"
    ]


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        *((45, 45), (45.6, 46), ("45%", 45), ("45", 45), (" 45 % ", 45), (0.45, 45), ("0.45", 45)),
        *((0, 0), (1, 1), (1.0, 1), ("0.5%", 0), (100, 100), (250, 100), (-5, 0)),
        *((None, None), ("", None), ("soon", None), (True, None), ([45], None), ("NaN", None)),
    ],
)
async def test_progress_is_a_percentage_or_nothing(
    api: VideosApi, backend: OpenAIVideos, said: object, percent: int | None
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"status": "in_progress", "progress": said}
    assert (await backend.poll(ref)).progress == percent


async def test_progress_that_is_absent_is_not_invented(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: {"id": job["id"], "status": "in_progress"}
    assert (await backend.poll(ref)).progress is None


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        *((NOW + 60, NOW + 60), (str(NOW + 60), NOW + 60), ((NOW + 60) * 1000, NOW + 60)),
        *(("2027-01-15T08:01:00Z", NOW + 60), ("2027-01-15T08:01:00", NOW + 60)),
        *((0, None), (None, None), ("soon", None), ({}, None), (10**400, None)),
    ],
)
async def test_the_expiry_is_read_as_unix_seconds(
    api: VideosApi, backend: OpenAIVideos, said: object, moment: float | None
) -> None:
    ref = await submit(backend)
    api.finish(ref)
    api.shape = lambda job: job | {"expires_at": said}
    assert (await backend.poll(ref)).expires_at == moment


FAILURES = {
    "an object": ({"code": "server_error", "message": "boom"}, ErrorKind.INTERNAL, "boom"),
    "moderation": (
        {"code": "moderation_blocked", "message": "no"},
        ErrorKind.MODERATED,
        "moderation_blocked: no",
    ),
    "only a message": ({"message": "boom"}, ErrorKind.INTERNAL, "boom"),
    "a text": ("boom", ErrorKind.INTERNAL, "boom"),
    "a policy in a text": ("Rejected by the safety system", ErrorKind.MODERATED, "Rejected"),
    "a list": ([{"msg": "boom"}], ErrorKind.INTERNAL, "boom"),
    "a number": (500, ErrorKind.INTERNAL, "500"),
    "a code that is a number": ({"code": 400, "message": "x"}, ErrorKind.INVALID, "400: x"),
    "a bad prompt": ({"code": "invalid_prompt"}, ErrorKind.INVALID, "invalid_prompt"),
    "no credit": ({"message": "Insufficient balance"}, ErrorKind.BALANCE, "Insufficient"),
    "nothing": (None, ErrorKind.INTERNAL, "the job is failed"),
    "an empty object": ({}, ErrorKind.INTERNAL, "the job is failed"),
    "true": (True, ErrorKind.INTERNAL, "the job is failed"),
}


@pytest.mark.parametrize(("said", "kind", "message"), FAILURES.values(), ids=FAILURES)
async def test_a_failed_job_says_why(
    api: VideosApi,
    backend: OpenAIVideos,
    *,
    said: object,
    kind: ErrorKind,
    message: str,
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"status": "failed", "error": said}
    update = await backend.poll(ref)
    assert update.error
    assert update.error.kind is kind
    assert message in update.error.message


async def test_an_expired_job_is_gone(api: VideosApi, backend: OpenAIVideos) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"status": "expired"}
    update = await backend.poll(ref)
    assert update.state is RemoteState.FAILED
    assert update.error
    assert update.error.kind is ErrorKind.GONE


@pytest.mark.parametrize("status", [400, 422, 500, 503])
async def test_a_failed_job_in_an_error_answer_is_a_failure(
    api: VideosApi, backend: OpenAIVideos, status: int
) -> None:
    ref = await submit(backend)
    api.fail(ref, "moderation_blocked", "no")
    api.go_wrong("retrieve", Fault(status=status, body=api.jobs[ref]))
    update = await backend.poll(ref)
    assert update.state is RemoteState.FAILED
    assert update.error
    assert update.error.kind is ErrorKind.MODERATED


async def test_a_failed_job_inside_an_error_message_is_a_failure(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.fail(ref, "server_error", "the GPU {fell} out")
    message = f"litellm.APIError: {{not JSON}} OpenAIException - {json.dumps(api.jobs[ref])}"
    body = {"error": {"message": message, "type": None, "code": "500"}}
    api.go_wrong("retrieve", Fault(status=500, body=body))
    update = await backend.poll(ref)
    assert update.state is RemoteState.FAILED
    assert update.error
    assert update.error.message == "server_error: the GPU {fell} out"


OUTAGES = {
    "a gateway's page": (502, "<html>", ErrorKind.TRANSIENT),
    "an error that names a request": (
        500,
        {"id": "req_1", "error": {"message": "overloaded"}},
        ErrorKind.TRANSIENT,
    ),
    "a gateway's status": (503, {"status": "error", "message": "down"}, ErrorKind.TRANSIENT),
    "a running job in an error": (
        500,
        {"id": "v1", "status": "in_progress"},
        ErrorKind.TRANSIENT,
    ),
    "a time-out": (408, None, ErrorKind.TRANSIENT),
    "a bad request": (400, {"error": "what?"}, ErrorKind.TRANSIENT),
    "a revoked key": (401, {}, ErrorKind.AUTH),
    "too many polls": (429, {}, ErrorKind.RATE),
    "a lost job": (404, {"detail": "Video not found"}, ErrorKind.GONE),
    "a job that is gone": (410, None, ErrorKind.GONE),
    "no JSON": (200, "OK", ErrorKind.TRANSIENT),
    "no job": (200, {"error": None}, ErrorKind.TRANSIENT),
    "a list": (200, [1, 2], ErrorKind.TRANSIENT),
}


@pytest.mark.parametrize(("status", "body", "kind"), OUTAGES.values(), ids=OUTAGES)
async def test_an_outage_is_no_failure_of_the_job(
    api: VideosApi, backend: OpenAIVideos, status: int, body: object, kind: ErrorKind
) -> None:
    ref = await submit(backend)
    api.go_wrong("retrieve", Fault(status=status, body=body, headers={"Retry-After": "9"}))
    error = await refusal(backend, poll=ref)
    assert error.kind is kind
    assert error.retry_after == (9 if status >= 400 else None)
    assert len(api.made("GET")) == 1


@pytest.mark.parametrize("fault", [Fault(reset=True), Fault(cut=True), Fault(hang=True)])
async def test_a_poll_without_an_answer_is_transient(
    api: VideosApi, connect: Callable[..., OpenAIVideos], fault: Fault
) -> None:
    backend = connect(api.base_url, answer_timeout=0.3)
    ref = await submit(backend)
    api.go_wrong("retrieve", fault)
    assert (await refusal(backend, poll=ref)).kind is ErrorKind.TRANSIENT
    assert (await backend.poll(ref)).state is RemoteState.QUEUED


async def test_a_packed_answer_is_unpacked_up_to_a_limit(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    small = gzip.compress(json.dumps({"id": ref, "status": "done"}).encode())
    bomb = gzip.compress(json.dumps({"id": ref, "status": "done"}).encode() + b" " * 100_000_000)
    packed = {"Content-Encoding": "gzip"}
    api.go_wrong("retrieve", Fault(status=200, body=small, headers=packed))
    assert (await backend.poll(ref)).state is RemoteState.DONE
    api.go_wrong("retrieve", Fault(status=200, body=bomb, headers=packed))
    assert (await refusal(backend, poll=ref)).kind is ErrorKind.TRANSIENT


async def test_an_answer_that_is_too_large_is_not_read(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"noise": "x" * 5_000_000}
    assert (await refusal(backend, poll=ref)).kind is ErrorKind.TRANSIENT


async def test_an_id_that_changes_on_retrieve_is_ours(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"id": "another"}
    assert (await backend.poll(ref)).ref == ref


@pytest.mark.parametrize(
    "ref",
    ["a/b+c==", "x" * 200, "50%2F", "ä ö?#&", "..a", "0d0a1c1e-8d41-4a6f-8d2b-4d0f5b7f0a3e"],
)
async def test_a_ref_is_encoded_in_paths(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path, ref: str
) -> None:
    api.new_id = lambda: ref
    update = await finished(api, backend)
    await backend.fetch(update, tmp_path / "video.mp4", max_bytes=MAX_BYTES)
    assert update.ref == ref
    assert update.state is RemoteState.DONE
    assert await backend.cancel(ref)
    assert not api.jobs


async def test_a_job_may_name_the_address_of_its_result(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"status": "done", "url": "https://cdn.example/v.mp4"}
    assert (await backend.poll(ref)).result_url == "https://cdn.example/v.mp4"
    api.shape = lambda job: job | {"status": "done", "url": "file:///etc/passwd"}
    assert (await backend.poll(ref)).result_url is None
