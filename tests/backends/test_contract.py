"""Tests that every backend has to pass; each is a quirk that was seen with some server.

`make contract` prints the results. tests/support/providers/contract.py lists the backends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import logging
import socket
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.backends.base import Listing, RemoteState
from bot.errors import BackendError, ErrorKind, MediaError, UnconfirmedSubmitError, WebhookError
from bot.media.files.atomic import TooLargeError
from tests.support.media.clips import make_clip
from tests.support.providers.contract import ENTRIES
from tests.support.providers.openai_setup import KEY, MAX_BYTES, NOW, bytes_of, names_in, served
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.backends.base import BackendUpdate, VideoBackend
    from tests.support.providers.contract import Entry
    from tests.support.providers.stand_in import StandIn


@dataclass(kw_only=True)
class World:
    """A stand-in, its adapter, and the file `sink` for downloads."""

    entry: Entry
    api: StandIn
    backend: VideoBackend
    connect: Callable[..., VideoBackend]
    clip: Path
    sink: Path

    async def submit(self) -> str:
        return (await self.backend.submit(self.entry.request, create_key="key-1")).ref

    async def finished(self) -> BackendUpdate:
        ref = await self.submit()
        self.api.finish(ref)
        return await self.backend.poll(ref)

    async def refused(self) -> BackendError:
        with pytest.raises(BackendError) as caught:
            await self.submit()
        return caught.value

    async def lost(self, ref: str) -> BackendError:
        with pytest.raises(BackendError) as caught:
            await self.backend.poll(ref)
        return caught.value

    async def fetch(self, update: BackendUpdate) -> bytes:
        await self.backend.fetch(update, self.sink, max_bytes=MAX_BYTES)
        return bytes_of(self.sink)

    async def not_fetched(self, update: BackendUpdate) -> BackendError:
        with pytest.raises(BackendError) as caught:
            await self.fetch(update)
        assert not names_in(self.sink.parent)
        return caught.value

    @property
    def creates(self) -> int:
        return len(self.api.made("POST"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with every backend that it applies to."""
    if "entry" in metafunc.fixturenames:
        quirk = metafunc.function.__name__.removeprefix("test_")
        able = [entry for entry in ENTRIES if quirk not in entry.lacks]
        metafunc.parametrize("entry", able, ids=[entry.name for entry in able])


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def world(entry: Entry, clip: Path, tmp_path: Path) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(entry.open(clip))

        def connect(base_url: str = "", **settings: object) -> VideoBackend:
            backend = entry.connect(base_url or api.base_url, **settings)
            stack.push_async_callback(backend.close)
            return backend

        yield World(
            entry=entry,
            api=api,
            backend=connect(),
            connect=connect,
            clip=clip,
            sink=tmp_path / "v.mp4",
        )


def test_each_exception_of_a_backend_names_a_test_and_a_reason() -> None:
    for entry in ENTRIES:
        for quirk, reason in entry.lacks.items():
            assert f"test_{quirk}" in globals(), quirk
            assert len(reason) > 20, quirk


# --- from the prompt to the clip ---


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


# --- the one POST ---

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
    world.api.add_faults("create", Fault(after=True, hang=True))
    world.backend = world.connect(
        submit=1.0
    )  # a busy machine may take this long to send the request
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
NO_SUCH_KEY = {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}}
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


# The provider's clock is six hours ahead of ours.
THEIR_NOW = NOW + 6 * 3600
RETRY_AFTER = (
    ("7", 7.0),
    ("0.5", 0.5),
    (formatdate(THEIR_NOW + 90, usegmt=True), 90.0),
    (formatdate(THEIR_NOW - 90, usegmt=True), 0.0),
    ("-3", 0.0),
    ("inf", 86_400.0),
    ("nan", None),
    ("soon", None),
    (None, None),
)


async def test_retry_after_is_read_as_seconds_and_may_be_absent(world: World) -> None:
    for header, seconds in RETRY_AFTER:
        headers = {"Date": formatdate(THEIR_NOW, usegmt=True)}
        headers |= {"Retry-After": header} if header else {}
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


# --- secrets ---


async def test_a_refused_key_is_in_no_message(world: World) -> None:
    async with world.entry.open(world.clip, key="another") as strict:
        world.backend = world.connect(strict.base_url)
        for error in (await world.refused(), await world.lost("v1")):
            assert error.kind is ErrorKind.AUTH
            assert KEY not in str(error)
            assert "***" in error.message


async def test_secrets_are_in_no_representation(world: World) -> None:
    secrets = world.entry.secrets
    shown = repr(world.connect(**({"webhook_secrets": secrets} if secrets else {})))
    assert not [secret for secret in (KEY, *secrets) if secret in shown]


async def test_a_long_message_is_cut_and_loses_the_secrets_of_links(world: World) -> None:
    text = "see https://cdn.example/a.mp4?sig=secret\n\x07" + "x" * 10_000
    world.api.add_faults("create", Fault(status=400, body={"error": {"message": text}}))
    message = (await world.refused()).message
    assert message.startswith("HTTP 400 see https://cdn.example/a.mp4?... x")
    assert len(message) < 400


async def test_without_a_key_none_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
    for name in (*names, "OPENROUTER_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "sk-from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    world.backend = world.connect(api_key=None)
    await world.backend.cancel((await world.finished()).ref)
    assert len(world.api.calls) >= 2
    for call in world.api.calls:
        assert world.api.key_in(call.headers) is None
        assert "Authorization" not in call.headers
        assert "sk-from-the-environment" not in str(call.headers)


# --- polls ---

WORDS = {
    RemoteState.QUEUED: ["queued", "pending", "starting", "submitted", "unknown", "QUEUED"],
    RemoteState.RUNNING: ["in_progress", "processing", "running", "throttled", "in-progress"],
    RemoteState.DONE: ["completed", "succeeded", "succeed", "done", "Completed"],
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


# --- the clip ---


async def test_a_missing_content_is_requested_again(world: World) -> None:
    world.backend = world.connect(content_pauses=(0.0, 0.0))
    update = await world.finished()
    late = Fault(status=404, body={"detail": "Video is still in-progress"})
    world.api.add_faults("content", late, late)
    assert await world.fetch(update) == bytes_of(world.clip)
    world.sink.unlink()
    world.api.add_faults("content", late, late, late)
    assert (await world.not_fetched(update)).kind is ErrorKind.TRANSIENT


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


@contextlib.asynccontextmanager
async def another_host(clip: Path) -> AsyncIterator[tuple[str, list[web.Request]]]:
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return web.FileResponse(clip)

    app = web.Application()
    app.router.add_get("/v.mp4", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


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


# --- unconfirmed creates, and cancelling ---

SINCE = NOW - 300


async def test_a_job_whose_answer_was_lost_is_found_in_the_list(world: World) -> None:
    world.api.add_faults("create", Fault(after=True, reset=True))
    await world.refused()
    found = await world.backend.find(world.entry.request, since=SINCE)
    assert found == Listing(refs=tuple(world.api.creates), complete=True)


async def test_a_job_that_was_never_made_is_known_to_be_absent(world: World) -> None:
    found = await world.backend.find(world.entry.request, since=SINCE)
    assert found == Listing(refs=(), complete=True)


async def test_without_a_list_absence_is_never_certain(world: World) -> None:
    for status in (400, 404, 405, 501):
        world.api.add_faults("list", Fault(status=status))
        assert not (await world.backend.find(world.entry.request, since=SINCE)).complete, status


async def test_a_job_that_a_webhook_named_is_looked_up(world: World) -> None:
    ref = await world.submit()
    world.api.add_faults("list", Fault(status=405))
    found = await world.backend.find(world.entry.request, since=SINCE, hints=(ref, "unknown", ref))
    assert (found.refs, found.complete) == ((ref,), False)


async def test_a_job_can_be_cancelled(world: World) -> None:
    ref = await world.submit()
    assert await world.backend.cancel(ref)
    assert world.api.is_cancelled(ref)
    assert await world.backend.cancel(ref)


async def test_an_unconfirmed_cancellation_does_not_count(world: World) -> None:
    ref = await world.submit()
    faults = (
        Fault(status=405, body={"error": "Method Not Allowed"}),
        Fault(status=200, body={"deleted": False}),
        Fault(status=200, body="OK"),
        Fault(status=204),
        Fault(status=500, body={"deleted": True}),
        Fault(status=307, headers={"Location": "/v1/videos/other"}),
        Fault(reset=True),
    )
    for fault in faults:
        world.api.add_faults("delete", fault)
        assert not await world.backend.cancel(ref), fault
    assert len(world.api.made("DELETE")) <= len(faults)


# --- webhooks ---


async def test_a_valid_webhook_names_its_job(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    assert backend.capabilities.webhooks
    for ending in ("completed", "failed", "expired"):
        headers, body = world.entry.webhook("video_1", ending=ending)
        webhook = backend.parse_webhook(headers, body, now=NOW)
        assert webhook, ending
        assert webhook.ref == "video_1", ending


async def test_a_forged_webhook_is_refused(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    headers, body = world.entry.webhook("video_1")
    stranger, _ = world.entry.webhook("video_1", secret=world.entry.secrets[1])
    altered = body.replace(b"video_1", b"video_2")
    for sent, raw in ((headers, altered), (stranger, body), ({}, body), (headers, b"")):
        with pytest.raises(WebhookError) as caught:
            backend.parse_webhook(sent, raw, now=NOW)
        assert caught.value.status == 401


async def test_an_odd_header_of_a_webhook_causes_no_other_error(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    right, body = world.entry.webhook("video_1")
    odd = ("", "x" * 100_000, "\udcff", "ключ", "NaN", "1e9", "-1", "t=,v1=", "v1,", "t=1,v1=ÿ")
    for name in (name for name in right if "content" not in name.lower()):
        for value in odd:
            # The webhook may be valid or refused, but no other error may be raised.
            with contextlib.suppress(WebhookError):
                backend.parse_webhook(right | {name: value}, body, now=NOW)


async def test_a_stale_webhook_is_refused(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    headers, body = world.entry.webhook("video_1")
    for drift in (-300, 300):
        assert backend.parse_webhook(headers, body, now=NOW + drift)
    for drift in (-301, 301, 10**9):
        with pytest.raises(WebhookError, match="too far"):
            backend.parse_webhook(headers, body, now=NOW + drift)


async def test_a_replayed_webhook_has_the_same_id(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    first = backend.parse_webhook(*world.entry.webhook("video_1"), now=NOW)
    again = backend.parse_webhook(*world.entry.webhook("video_1", at=NOW + 60), now=NOW + 60)
    assert first == again


async def test_both_secrets_are_accepted_while_they_are_rotated(world: World) -> None:
    new, old = world.entry.secrets
    backend = world.connect(webhook_secrets=(new, old))
    for secret in (new, old):
        assert backend.parse_webhook(*world.entry.webhook("v1", secret=secret), now=NOW)
    backend = world.connect(webhook_secrets=(new,))
    with pytest.raises(WebhookError):
        backend.parse_webhook(*world.entry.webhook("v1", secret=old), now=NOW)


async def test_without_a_secret_every_webhook_is_refused(world: World) -> None:
    assert not world.backend.capabilities.webhooks
    with pytest.raises(WebhookError):
        world.backend.parse_webhook(*world.entry.webhook("video_1"), now=NOW)


async def test_a_signed_body_that_is_not_an_event_is_refused(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    kind = json.dumps(world.entry.event("v1", "completed")["type"]).encode()
    bodies = (
        b"no JSON",
        b"\xff\xfe",
        b"",
        b"[" * 60_000,
        b"[]",
        b"{}",
        b'{"type": 7}',
        b'{"type": ' + b"9" * 5000 + b"}",
        b'{"type": %b}' % kind,
        b'{"type": %b, "data": []}' % kind,
        b'{"type": %b, "data": {"id": ".."}}' % kind,
        b'{"type": %b, "data": {"id": "a\\nb"}}' % kind,
        b'{"type": %b, "data": {"id": "%b"}}' % (kind, b"x" * 1000),
    )
    for body in bodies:
        headers = world.entry.signed(world.entry.secrets[0], int(NOW), body)
        with pytest.raises(WebhookError) as caught:
            backend.parse_webhook(headers, body, now=NOW)
        assert caught.value.status == 400, body[:40]


async def test_a_webhook_about_anything_else_is_ignored(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    body = b'{"type": "response.completed", "data": {"id": "resp_1"}}'
    headers = world.entry.signed(world.entry.secrets[0], int(NOW), body)
    assert backend.parse_webhook(headers, body, now=NOW) is None
