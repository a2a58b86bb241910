"""The answers to polls."""

from __future__ import annotations

import gzip
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState
from bot.errors import ErrorKind
from tests.support.providers.contract_world import NO_SUCH_KEY, World
from tests.support.providers.openai_setup import NOW
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    import pytest


WORDS = {
    RemoteState.QUEUED: [
        *("queued", "pending", "starting", "submitted", "unknown", "QUEUED", "IN_QUEUE"),
        *("NOT_START", "InQueue", "Queueing", "Preparing", "waiting", "JOB_STATE_QUEUED"),
    ],
    RemoteState.RUNNING: [
        *("in_progress", "processing", "running", "throttled", "in-progress", "InProgress"),
        *("TASK_STATUS_PROCESSING", "generating", "RUN"),
    ],
    RemoteState.DONE: [
        *("completed", "succeeded", "succeed", "done", "Completed", "SUCCESS", "Success"),
        *("TASK_STATUS_SUCCEED", "JOB_STATE_SUCCEEDED", "complete", "finished", "Ready"),
    ],
    RemoteState.FAILED: [
        "failed",
        "error",
        "cancelled",
        "canceled",
        "expired",
        "deleted",
        "incomplete",
        "budget_exceeded",
        "requires_action",
        *("FAILURE", "Fail", "FAIL", "TASK_STATUS_FAILED", "timed_out", "TIMEOUT", "aborted"),
        *("nsfw", "Request Moderated", "Content Moderated", "rejected"),
    ],
}


async def test_status_words_are_mapped_to_four_states(world: World) -> None:
    ref = await world.submit()
    for word, state in [(word, state) for state, words in WORDS.items() for word in words]:
        world.api.shape = lambda job, word=word: job | {"status": word}
        update = await world.backend.poll(ref)
        assert update.state is state, word
        assert (update.error is not None) == (state is RemoteState.FAILED), word


async def test_an_unknown_status_word_counts_as_running_and_is_logged_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ref = await world.submit()
    world.api.shape = lambda job: job | {"status": "Dreaming\n"}
    with caplog.at_level(logging.WARNING):
        states = [(await world.backend.poll(ref)).state for _ in range(3)]
    assert states == [RemoteState.RUNNING] * 3
    assert [record.getMessage() for record in caplog.records] == [
        f"backend.status_unknown backend={world.backend.name} word='dreaming'"
    ]


PROGRESS = (
    (45, 45),
    (45.6, 46),
    ("45%", 45),
    ("45", 45),
    (" 45 % ", 45),
    (0.45, 45),
    ("0.45", 45),
    (0, 0),
    (1, 1),
    (1.0, 1),
    ("0.5%", 0),
    (100, 100),
    (250, 100),
    (-5, 0),
    (None, None),
    ("", None),
    ("soon", None),
    (True, None),
    ([45], None),
    ("NaN", None),
)


async def test_progress_is_a_percentage_or_nothing(world: World) -> None:
    ref = await world.submit()
    for said, percent in PROGRESS:
        world.api.shape = lambda job, said=said: job | {"status": "in_progress", "progress": said}
        assert (await world.backend.poll(ref)).progress == percent, said


async def test_progress_that_is_absent_is_not_invented(world: World) -> None:
    ref = await world.submit()
    world.api.shape = lambda job: {"id": job["id"], "status": "in_progress"}
    assert (await world.backend.poll(ref)).progress is None


EXPIRIES = (
    (NOW + 60, NOW + 60),
    (str(NOW + 60), NOW + 60),
    ((NOW + 60) * 1000, NOW + 60),
    ("2027-01-15T08:01:00Z", NOW + 60),
    ("2027-01-15T08:01:00", NOW + 60),
    (0, None),
    (None, None),
    ("soon", None),
    ({}, None),
    (10**400, None),
)


async def test_the_expiry_is_read_as_unix_seconds(world: World) -> None:
    ref = (await world.finished()).ref
    for said, moment in EXPIRIES:
        world.api.shape = lambda job, said=said: job | {"expires_at": said}
        assert (await world.backend.poll(ref)).expires_at == moment, said


COSTS = ((0.81, 0.81), ("0.81", 0.81), (0, 0.0), (None, None), ("free", None), (-1, None))


async def test_the_cost_of_a_job_is_read(world: World) -> None:
    ref = (await world.finished()).ref
    for said, dollars in COSTS:
        world.api.shape = lambda job, said=said: job | {"usage": {"cost": said}}
        assert (await world.backend.poll(ref)).cost == dollars, said
    world.api.shape = lambda job: job | {"usage": "much"}
    assert (await world.backend.poll(ref)).cost is None


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


async def test_an_error_may_be_a_text_an_object_a_list_or_a_number(world: World) -> None:
    ref = await world.submit()
    for case, (said, kind, message) in FAILURES.items():
        world.api.shape = lambda job, said=said: job | {"status": "failed", "error": said}
        update = await world.backend.poll(ref)
        assert update.error, case
        assert update.error.kind is kind, case
        assert message in update.error.message, case


async def test_an_expired_job_is_gone(world: World) -> None:
    ref = await world.submit()
    world.api.shape = lambda job: job | {"status": "expired"}
    update = await world.backend.poll(ref)
    assert update.state is RemoteState.FAILED
    assert update.error
    assert update.error.kind is ErrorKind.GONE


async def test_a_failed_job_in_an_error_answer_is_a_failure(world: World) -> None:
    ref = await world.submit()
    failed = {"id": ref, "status": "failed", "error": {"code": "moderation_blocked"}}
    for status in (400, 422, 500, 503):
        world.api.add_faults("retrieve", Fault(status=status, body=failed))
        update = await world.backend.poll(ref)
        assert update.state is RemoteState.FAILED, status
        assert update.error, status
        assert update.error.kind is ErrorKind.MODERATED, status


async def test_a_failed_job_inside_an_error_message_is_a_failure(world: World) -> None:
    ref = await world.submit()
    error = {"code": "server_error", "message": "the GPU {fell} out"}
    job = json.dumps({"id": ref, "status": "failed", "error": error})
    message = f"litellm.APIError: {{not JSON}} OpenAIException - {job}"
    body = {"error": {"message": message, "type": None, "code": "500"}}
    world.api.add_faults("retrieve", Fault(status=500, body=body))
    update = await world.backend.poll(ref)
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
    "an unknown status in an error": (
        500,
        {"id": "req_1", "status": "Internal Server Error", "error": "overloaded"},
        ErrorKind.TRANSIENT,
    ),
    "a running job in an error": (500, {"id": "v1", "status": "in_progress"}, ErrorKind.TRANSIENT),
    "a time-out": (408, None, ErrorKind.TRANSIENT),
    "a bad request": (400, {"error": "what?"}, ErrorKind.TRANSIENT),
    "a revoked key": (401, {}, ErrorKind.AUTH),
    "a key that a gateway forgot": (400, NO_SUCH_KEY, ErrorKind.AUTH),
    "too many polls": (429, {}, ErrorKind.RATE),
    "no JSON": (200, "OK", ErrorKind.TRANSIENT),
    "no job": (200, {"error": None}, ErrorKind.TRANSIENT),
    "a list": (200, [1, 2], ErrorKind.TRANSIENT),
}


async def test_an_outage_is_not_a_failure_of_the_job(world: World) -> None:
    ref = await world.submit()
    for case, (status, body, kind) in OUTAGES.items():
        world.api.add_faults(
            "retrieve", Fault(status=status, body=body, headers={"Retry-After": "9"})
        )
        error = await world.lost(ref)
        assert error.kind is kind, case
        assert error.retry_after == (9 if status >= 400 else None), case
    assert len(world.api.made("GET")) == len(OUTAGES)


async def test_a_404_for_a_known_id_means_that_the_job_is_gone(world: World) -> None:
    ref = await world.submit()
    for status, body in ((404, {"detail": "Video not found"}), (410, None)):
        world.api.add_faults("retrieve", Fault(status=status, body=body))
        assert (await world.lost(ref)).kind is ErrorKind.GONE, status
    assert (await world.lost("another")).kind is ErrorKind.GONE


async def test_a_poll_without_an_answer_is_transient(world: World) -> None:
    ref = await world.submit()
    for fault in (Fault(reset=True), Fault(cut=True)):
        world.api.add_faults("retrieve", fault)
        assert (await world.lost(ref)).kind is ErrorKind.TRANSIENT, fault
        assert (await world.backend.poll(ref)).state is RemoteState.QUEUED, fault
    world.api.add_faults("retrieve", Fault(hang=True))
    world.backend = world.connect(answer=0.2)
    assert (await world.lost(ref)).kind is ErrorKind.TRANSIENT


async def test_a_compressed_answer_is_decompressed_up_to_a_limit(world: World) -> None:
    ref = await world.submit()
    small = gzip.compress(json.dumps({"id": ref, "status": "done"}).encode())
    bomb = gzip.compress(json.dumps({"id": ref, "status": "done"}).encode() + b" " * 20_000_000, 1)
    packed = {"Content-Encoding": "gzip"}
    world.api.add_faults("retrieve", Fault(status=200, body=small, headers=packed))
    assert (await world.backend.poll(ref)).state is RemoteState.DONE
    world.api.add_faults("retrieve", Fault(status=200, body=bomb, headers=packed))
    assert (await world.lost(ref)).kind is ErrorKind.TRANSIENT


async def test_an_answer_that_is_too_large_is_not_read(world: World) -> None:
    ref = await world.submit()
    world.api.shape = lambda job: job | {"noise": "x" * 5_000_000}
    assert (await world.lost(ref)).kind is ErrorKind.TRANSIENT


async def test_the_ref_of_the_create_is_kept_if_retrieve_answers_another(world: World) -> None:
    ref = await world.submit()
    world.api.shape = lambda job: job | {"id": "another"}
    assert (await world.backend.poll(ref)).ref == ref


async def test_a_ref_is_encoded_in_paths(world: World) -> None:
    for ref in ("a/b+c==", "x" * 200, "50%2F", "ä ö?#&", "..a", "0d0a1c1e-8d41-4a6f-8d2b-4d0f"):
        world.api.new_id = lambda ref=ref: ref
        update = await world.finished()
        assert (update.ref, update.state) == (ref, RemoteState.DONE)
        await world.fetch(update)


async def test_a_page_of_the_list_tells_what_a_poll_tells(world: World) -> None:
    refs = [await world.submit() for _ in range(3)]
    world.api.progress(refs[0], 45)
    world.api.finish(refs[1])
    world.api.fail(refs[2], "moderation_blocked", "no")
    page = await world.backend.list_statuses(None)
    assert page is not None
    polled = {ref: await world.backend.poll(ref) for ref in refs}
    listed = {update.ref: update for update in page.updates}
    assert {ref: replace(update, error=None) for ref, update in listed.items()} == {
        ref: replace(update, error=None) for ref, update in polled.items()
    }
    assert [update.error and update.error.kind for update in listed.values()] == [
        polled[ref].error and polled[ref].error.kind for ref in listed
    ]


async def test_a_server_without_a_list_has_no_page_of_it(world: World) -> None:
    world.api.add_faults("list", *(Fault(status=405) for _ in range(2)))
    assert await world.backend.list_statuses(None) is None
