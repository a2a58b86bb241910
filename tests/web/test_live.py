from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from bot.errors import BackendError, ErrorKind, Trouble, UnconfirmedSubmitError
from bot.jobs.circuit_breaker import CircuitBreaker
from bot.model import JobChanged, JobState
from bot.web.api import socket_session, websocket
from tests.support.clients import described
from tests.support.clients.site import OTHER_TOKEN, TOKEN, Caller, open_site
from tests.support.fakes.clock import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench


SIGNED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def connect(caller: Caller, token: str = TOKEN) -> ClientWebSocketResponse:
    socket = await caller.http.ws_connect("/ws")
    await socket.send_json({"action": "authenticate", "token": token})
    return socket


async def subscribe(socket: ClientWebSocketResponse, job_id: str) -> None:
    await socket.send_json({"action": "subscribe", "jobId": job_id})


async def hear(socket: ClientWebSocketResponse) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        message = await socket.receive_json()
    described.check_message(message)
    return message


async def closing_code(socket: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(PATIENCE):
        message = await socket.receive()
    assert message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED}, message
    return socket.close_code


def progress(job_id: str, status: str, percent: int, **more: str) -> dict[str, Any]:
    return {"type": "progress", "jobId": job_id, "status": status, "progress": percent, **more}


async def test_a_subscriber_gets_the_current_status_then_each_change_and_nothing_after_the_end(
    caller: Caller,
) -> None:
    job_id = await caller.order()
    socket = await connect(caller)
    await subscribe(socket, job_id)
    assert await hear(socket) == progress(job_id, "queued", 0)

    await caller.bench.step(job_id)
    await caller.bench.step(job_id)
    assert await hear(socket) == progress(job_id, "in_progress", 0)
    for percent in (40, 70):
        caller.bench.backend.only.progress = percent
        await caller.bench.step(job_id)
        assert await hear(socket) == progress(job_id, "in_progress", percent)
    await caller.finish(job_id)
    assert await hear(socket) == progress(job_id, "in_progress", 99)
    assert await hear(socket) == progress(job_id, "completed", 100)

    await subscribe(socket, job_id)
    assert await hear(socket) == progress(job_id, "completed", 100)
    await socket.close()


async def test_a_failure_is_sent_with_its_reason(caller: Caller) -> None:
    job_id = await caller.order()
    socket = await connect(caller)
    await subscribe(socket, job_id)
    await hear(socket)

    caller.bench.backend.refusals.append(BackendError(ErrorKind.MODERATED, "no"))
    await caller.finish(job_id)
    assert await hear(socket) == progress(job_id, "in_progress", 0)
    assert await hear(socket) == progress(job_id, "failed", 0, error="Content policy violation")


async def test_an_undecided_job_has_a_question_until_the_client_decides(
    caller: Caller,
) -> None:
    bench = caller.bench
    job_id = await caller.order()
    socket = await connect(caller)
    await subscribe(socket, job_id)
    assert await hear(socket) == progress(job_id, "queued", 0)
    bench.backend.lists = bench.backend.complete = False
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    while (await bench.now(job_id)).state is not JobState.UNDECIDED:
        await bench.step(job_id)
    assert await hear(socket) == progress(job_id, "in_progress", 0)
    asked = await hear(socket)
    assert "may charge twice" in asked.pop("question")
    assert asked == progress(job_id, "in_progress", 0)

    status, answer = await caller.ask("POST", f"/api/retry?jobId={job_id}")
    assert (status, answer) == (200, {"status": "in_progress", "progress": 0})
    assert await hear(socket) == progress(job_id, "in_progress", 0)
    status, answer = await caller.ask("POST", f"/api/retry?jobId={job_id}")
    assert (status, answer["error"]["key"]) == (409, "api.no_question")
    await caller.finish(job_id)
    assert len(bench.backend.charged) == 2
    await socket.close()


async def test_queued_jobs_tell_why_they_wait_and_when_the_wait_ends(
    caller: Caller,
) -> None:
    bench = caller.bench
    ids = [await caller.order() for _ in range(4)]
    for job_id in ids:
        await bench.step(job_id)
    socket = await connect(caller)
    await subscribe(socket, ids[3])
    assert await hear(socket) == progress(ids[3], "queued", 0)
    bench.backend.refusals += [BackendError(ErrorKind.TRANSIENT, "down") for _ in range(3)]
    for job_id in ids[:3]:
        await bench.step(job_id)
    waits = "The video service isn't working right now."
    assert await hear(socket) == progress(ids[3], "queued", 0, waiting=waits)
    _, answer = await caller.ask("GET", f"/api/status?jobId={ids[0]}")
    assert answer == {"status": "in_progress", "progress": 0, "waiting": waits}
    _, answer = await caller.ask("GET", "/api/jobs")
    assert {job["waiting"] for job in answer["jobs"]} == {waits}

    bench.clock.advance(30)
    await bench.step(ids[0])
    assert await hear(socket) == progress(ids[3], "queued", 0)
    await socket.close()


async def test_queued_jobs_tell_why_they_wait_if_another_process_was_refused(
    caller: Caller,
) -> None:
    bench = caller.bench
    job_id = await caller.order()
    await bench.step(job_id)
    worker = CircuitBreaker(
        bench.circuits, bench.jobs, backend=bench.backend.name, clock=bench.clock
    )
    for _ in range(3):
        await worker.refused(Trouble.OUTAGE, probing=False)
    waits = "The video service isn't working right now."
    _, answer = await caller.ask("GET", f"/api/status?jobId={job_id}")
    assert answer["waiting"] == waits
    await worker.accepted()
    _, answer = await caller.ask("GET", "/api/jobs")
    assert "waiting" not in answer["jobs"][0]


async def test_one_socket_follows_many_jobs_until_it_unsubscribes(caller: Caller) -> None:
    jobs = [await caller.order() for _ in range(5)]
    socket = await connect(caller)
    for job_id in jobs:
        await subscribe(socket, job_id)
        assert await hear(socket) == progress(job_id, "queued", 0)

    await socket.send_json({"action": "unsubscribe", "jobId": jobs[0]})
    await subscribe(socket, jobs[1])  # answered after the other
    assert await hear(socket) == progress(jobs[1], "queued", 0)
    for job_id in jobs:
        await caller.bench.jobs.cancel(job_id)
    heard = [await hear(socket) for _ in jobs[1:]]
    assert [message["jobId"] for message in heard] == jobs[1:]
    assert {message["status"] for message in heard} == {"failed"}


async def test_another_clients_job_does_not_exist(caller: Caller) -> None:
    job_id = await caller.order()
    socket = await connect(caller, OTHER_TOKEN)
    await subscribe(socket, job_id)

    answer = await hear(socket)
    assert (answer["type"], answer["jobId"], answer["error"]["key"]) == (
        "error",
        job_id,
        "api.unknown_job",
    )
    await caller.bench.jobs.cancel(job_id)
    await subscribe(socket, job_id)
    assert (await hear(socket))["type"] == "error"


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "[]",
        '{"action": "subscribe"}',
        '{"action": "dance", "jobId": "' + "0" * 32 + '"}',
    ],
)
async def test_a_message_that_makes_no_sense_is_answered(caller: Caller, message: str) -> None:
    socket = await connect(caller)
    await socket.send_str(message)
    assert (await hear(socket))["error"]["key"] == "api.bad_message"


async def test_a_socket_without_a_valid_token_is_closed(caller: Caller) -> None:
    socket = await connect(caller, "wrong-token-of-sixteen")
    assert await closing_code(socket) == 4401


async def test_a_token_that_is_not_valid_unicode_is_refused(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await caller.http.ws_connect("/ws")
    await socket.send_str('{"action": "authenticate", "token": "\\ud800"}')
    assert await closing_code(socket) == 4401
    assert "web.failed" not in caplog.text


async def test_too_many_wrong_tokens_are_answered_with_try_again_later(caller: Caller) -> None:
    codes = []
    for _ in range(21):
        async with await connect(caller, "wrong-token-of-sixteen") as socket:
            codes.append(await closing_code(socket))
            assert socket.exception() is None
    assert codes == [4401] * 20 + [1013]


async def test_a_socket_that_an_error_ends_is_closed_as_such_and_logged(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    await caller.bench.database.rows("ALTER TABLE jobs RENAME TO elsewhere", {})
    socket = await connect(caller)
    await subscribe(socket, "0" * 32)
    assert await closing_code(socket) == 1011
    assert caplog.text.count("ws.failed") == 1
    assert "no such table" in caplog.text


async def test_a_token_in_the_header_needs_no_first_message(caller: Caller) -> None:
    job_id = await caller.order()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with caller.http.ws_connect("/ws", headers=headers) as socket:
        await subscribe(socket, job_id)
        assert (await hear(socket))["status"] == "queued"


async def test_a_page_of_another_site_can_not_open_a_socket_with_our_cookie(
    caller: Caller,
) -> None:
    async with caller.http.post("/api/session", json={"token": TOKEN}) as response:
        assert response.status == 200
        cookie = response.headers["Set-Cookie"].partition(";")[0]
    elsewhere = {"Origin": "https://elsewhere.example", "Cookie": cookie}
    with pytest.raises(WSServerHandshakeError) as refused:
        await caller.http.ws_connect("/ws", headers=elsewhere)
    assert refused.value.status == 401

    ours = {"Origin": caller.url, "Cookie": cookie}
    job_id = await caller.order()
    async with caller.http.ws_connect("/ws", headers=ours) as socket:
        await subscribe(socket, job_id)
        assert (await hear(socket))["status"] == "queued"


async def test_more_jobs_than_a_socket_may_follow_are_refused(caller: Caller) -> None:
    socket = await connect(caller)
    caller.bench.clock.advance(100)
    for number in range(51):
        job = await caller.clients.submit("web", f"number {number}")
        await subscribe(socket, job.id)
    heard = [await hear(socket) for _ in range(51)]
    assert [message["type"] for message in heard] == ["progress"] * 50 + ["error"]
    assert heard[-1]["error"]["key"] == "api.too_many_jobs"


async def test_the_open_sockets_of_a_client_are_limited(caller: Caller) -> None:
    job_id = await caller.order()
    sockets = []
    for _ in range(20):
        sockets.append(await connect(caller))
        await subscribe(sockets[-1], job_id)
        await hear(sockets[-1])
    assert await closing_code(await connect(caller)) == 1013
    await sockets[0].close()


async def test_a_client_that_keeps_opening_sockets_has_to_wait(caller: Caller) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for _ in range(40):
        async with caller.http.ws_connect("/ws", headers=headers):
            pass
    with pytest.raises(WSServerHandshakeError) as refused:
        await caller.http.ws_connect("/ws", headers=headers)
    assert refused.value.status == 429
    assert await closing_code(await connect(caller)) == 1013

    async with caller.http.ws_connect("/ws", headers={"Authorization": f"Bearer {OTHER_TOKEN}"}):
        caller.bench.clock.advance(1)
    async with caller.http.ws_connect("/ws", headers=headers):
        pass


async def test_a_client_may_subscribe_to_the_maximum_at_once_and_then_messages_are_limited(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_session, "_PAUSE_SECONDS", 0.0)
    job_id, foreign = await caller.order(), await caller.order(token=OTHER_TOKEN)
    many, few = await connect(caller), await connect(caller)
    for _ in range(1000):  # 20 sockets with 50 jobs
        await subscribe(many, job_id)
        assert await hear(many) == progress(job_id, "queued", 0)
    for _ in range(1000):
        await many.send_json({"action": "unsubscribe", "jobId": job_id})
    await subscribe(many, job_id)
    refused = await hear(many)
    assert (refused["jobId"], refused["error"]["key"]) == (job_id, "api.too_often")
    assert "1 s" in refused["error"]["message"]
    await subscribe(few, job_id)
    assert (await hear(few))["error"]["key"] == "api.too_often"

    other = await connect(caller, OTHER_TOKEN)
    await subscribe(other, foreign)
    assert await hear(other) == progress(foreign, "queued", 0)
    caller.bench.clock.advance(1)
    await subscribe(few, job_id)
    assert await hear(few) == progress(job_id, "queued", 0)


async def test_a_socket_that_does_not_keep_up_is_closed(caller: Caller) -> None:
    socket = await connect(caller)
    jobs = [await caller.clients.submit("web", f"number {number}") for number in range(10)]
    for job in jobs:
        await subscribe(socket, job.id)
        await hear(socket)

    # All within one iteration of the event loop, so nothing is sent in between.
    for job in jobs:
        for percent in range(1, 99):
            changed = replace(job, state=JobState.GENERATING, progress=percent)
            caller.bench.bus.publish(JobChanged(job=changed, previous=job.state))
    heard = 0
    async with asyncio.timeout(PATIENCE):
        while (await socket.receive()).type is WSMsgType.TEXT:
            heard += 1
    assert socket.close_code == 1013
    assert heard <= 200


async def test_stopping_the_bot_closes_every_socket(bench: Bench) -> None:
    async with open_site(bench) as caller:
        socket = await connect(caller)
        await subscribe(socket, await caller.order())
        await hear(socket)
        closing = asyncio.create_task(closing_code(socket))
        await caller.site.close()
        assert await closing == 1001


async def test_stopping_the_bot_waits_for_all_silent_sockets_concurrently(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "_CLOSE_SECONDS", 0.2)
    loop = asyncio.get_running_loop()
    async with open_site(bench) as caller:
        job_id = await caller.order()
        for _ in range(20):
            # A client that does not read does not answer the close frame.
            socket = await connect(caller)
            await subscribe(socket, job_id)
            await hear(socket)
        began = loop.time()
        await caller.site.close()
        assert loop.time() - began < 10 * 0.2


async def test_a_follower_of_the_list_hears_of_its_own_new_and_deleted_jobs(caller: Caller) -> None:
    socket = await connect(caller)
    await socket.send_json({"action": "subscribe_list"})
    await socket.send_json({"action": "subscribe_list"})  # changes nothing
    await caller.order(token=OTHER_TOKEN)
    # The refusal of an unknown job shows that the messages before it were read.
    await subscribe(socket, "0" * 32)
    assert (await hear(socket))["type"] == "error"
    job_id = await caller.order()
    assert await hear(socket) == {"type": "created", "jobId": job_id}
    await caller.finish(job_id)
    async with caller.http.delete(f"/api/jobs?jobId={job_id}", headers=SIGNED) as answer:
        assert answer.status == 204
    assert await hear(socket) == {"type": "deleted", "jobId": job_id}
    await socket.close()
