"""From the prompt to the clip, with one POST."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from email.utils import formatdate
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from tests.support.fakes.clock import PATIENCE
from tests.support.providers.contract_world import NO_SUCH_KEY, World
from tests.support.providers.openai_setup import KEY, NOW, bytes_of, names_in, served
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    import pytest


async def test_a_job_is_made_from_the_prompt_to_the_clip(world: World) -> None:
    update = await world.backend.submit(world.entry.request, create_key="key-1")
    assert update.state is RemoteState.QUEUED
    world.api.progress(update.ref, 45)
    assert (await world.backend.poll(update.ref)).state is RemoteState.RUNNING
    world.api.finish(update.ref)
    end = await world.backend.poll(update.ref)
    assert (end.state, end.ref) == (RemoteState.DONE, update.ref)
    assert await world.fetch(end) == bytes_of(world.clip)
    assert names_in(world.sink.parent) == ["v.mp4"]
    assert world.creates == 1


async def test_the_request_is_in_the_create_with_the_key(world: World) -> None:
    await world.submit()
    (call,) = world.api.made("POST")
    assert world.api.key_in(call.headers) == KEY
    said = json.dumps(call.form)
    assert [part for part in world.entry.says(world.entry.request) if part not in said] == []


TERMINAL = (
    ({"id": "v1", "status": "completed", "progress": 100}, RemoteState.DONE),
    ({"id": "v1", "status": "failed", "error": "no"}, RemoteState.FAILED),
    ({"id": "v1", "data": [{"url": "https://cdn.example/v.mp4"}]}, RemoteState.DONE),
    ({"id": 17}, RemoteState.RUNNING),
    ({"data": {"id": "v1", "status": "pending"}}, RemoteState.QUEUED),
)


async def test_a_job_may_have_ended_in_the_answer_to_the_create(world: World) -> None:
    for body, state in TERMINAL:
        world.api.add_faults("create", Fault(status=202, body=body))
        update = await world.backend.submit(world.entry.request, create_key="k")
        assert (update.state, update.ref) == (state, str(body.get("id", "v1"))), body


DOUBTFUL = {
    "500": Fault(status=500, body={"error": {"message": "oops"}}),
    "502 in HTML": Fault(status=502, body="<html>Bad gateway</html>"),
    "503 that asks for a retry": Fault(
        status=503, headers={"Retry-After": "0", "x-should-retry": "true"}
    ),
    "408": Fault(status=408),
    "409": Fault(status=409),
    "499": Fault(status=499),
    "a redirect": Fault(status=307, headers={"Location": "/v1/videos"}),
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


async def test_a_create_without_a_clear_answer_is_posted_once(world: World) -> None:
    for count, (case, fault) in enumerate(DOUBTFUL.items(), start=1):
        world.api.add_faults("create", fault)
        error = await world.refused()
        assert isinstance(error, UnconfirmedSubmitError), case
        assert len(world.api.calls) == count, case


async def test_a_create_that_is_answered_500_after_it_was_accepted_is_posted_once(
    world: World,
) -> None:
    world.api.add_faults("create", Fault(after=True, status=500, body={"error": "oops"}))
    assert isinstance(await world.refused(), UnconfirmedSubmitError)
    assert (len(world.api.calls), len(world.api.creates)) == (1, 1)


async def test_a_create_that_times_out_after_it_was_accepted_is_posted_once(world: World) -> None:
    world.api.add_faults("create", Fault(after=True, hang=True, passes=PATIENCE))
    world.backend = world.connect(submit=PATIENCE)
    assert isinstance(await world.refused(), UnconfirmedSubmitError)
    assert (len(world.api.calls), len(world.api.creates)) == (1, 1)


async def test_a_create_whose_connection_closes_half_way_is_posted_once(world: World) -> None:
    faults = (Fault(reset=True), Fault(after=True, reset=True), Fault(cut=True))
    for count, fault in enumerate(faults, start=1):
        world.api.add_faults("create", fault)
        assert isinstance(await world.refused(), UnconfirmedSubmitError), fault
        assert len(world.api.calls) == count, fault


async def test_a_create_whose_answer_trickles_ends_at_the_total_timeout(world: World) -> None:
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
        world.backend = world.connect(f"http://127.0.0.1:{port}/v1", submit=0.2)
        error = await world.refused()
    assert isinstance(error, UnconfirmedSubmitError)
    assert posts <= 1


async def test_without_a_connection_nothing_was_created(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        for url in (
            f"http://127.0.0.1:{taken.getsockname()[1]}/v1",
            "http://nowhere.invalid/v1",
            world.api.base_url.replace("http:", "https:"),
        ):
            world.backend = world.connect(url)
            error = await world.refused()
            assert type(error) is BackendError, url
            assert error.kind is ErrorKind.TRANSIENT, url
    assert not world.api.calls


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
    "a key that a gateway without a database can't look up": (400, NO_SUCH_KEY, ErrorKind.AUTH),
    "a forbidden model": (403, {"error": {"message": "no access"}}, ErrorKind.AUTH),
    "no money": (402, {}, ErrorKind.BALANCE),
    "no quota": (429, {"error": {"code": "insufficient_quota"}}, ErrorKind.BALANCE),
    "a billing limit": (400, {"error": {"code": "billing_hard_limit_reached"}}, ErrorKind.BALANCE),
    "a wrong address": (404, "404 page not found", ErrorKind.SETUP),
    "nothing to post to": (405, {"detail": "Method Not Allowed"}, ErrorKind.SETUP),
    "a prompt too long": (413, "", ErrorKind.INVALID),
    "a list of errors": (422, [{"msg": "x"}], ErrorKind.INVALID),
    "an error that is a number": (400, {"error": 7}, ErrorKind.INVALID),
    "too many at once": (429, {"error": {"code": 429}}, ErrorKind.RATE),
}


async def test_a_definite_refusal_has_a_kind(world: World) -> None:
    for case, (status, body, kind) in REFUSED.items():
        world.api.add_faults("create", Fault(status=status, body=body))
        error = await world.refused()
        assert (type(error), error.kind) == (BackendError, kind), case
    assert world.creates == len(REFUSED)


async def test_a_422_for_json_is_a_definite_refusal(world: World) -> None:
    async with world.entry.open(world.clip, forms_only=True) as strict:
        world.backend = world.connect(strict.base_url, body="json")
        error = await world.refused()
        assert (type(error), error.kind) == (BackendError, ErrorKind.INVALID)
        world.backend = world.connect(strict.base_url)
        assert await world.submit() in strict.jobs


RETRY_AFTER = (
    ("7", 7.0),
    ("0.5", 0.5),
    (formatdate(NOW + 90, usegmt=True), 90.0),
    (formatdate(NOW - 90, usegmt=True), 0.0),
    ("-3", 0.0),
    ("inf", 86_400.0),
    ("nan", None),
    ("soon", None),
    (None, None),
)


async def test_retry_after_is_read_as_seconds_and_may_be_absent(world: World) -> None:
    for header, seconds in RETRY_AFTER:
        headers = {"Retry-After": header} if header else {}
        world.api.add_faults("create", Fault(status=429, body={}, headers=headers))
        assert (await world.refused()).retry_after == seconds, header
    assert world.creates == len(RETRY_AFTER)


async def test_a_create_that_answers_with_a_failed_job_is_that_job(world: World) -> None:
    body = {"id": "v1", "status": "failed", "error": {"code": 500, "message": "out of memory"}}
    world.api.add_faults("create", Fault(status=500, body=body))
    update = await world.backend.submit(world.entry.request, create_key="k")
    assert (update.ref, update.state) == ("v1", RemoteState.FAILED)
    assert update.error
    assert update.error.kind is ErrorKind.INTERNAL
