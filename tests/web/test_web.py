from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from bot.errors import StartupError
from bot.links import Links
from bot.model import JobState
from bot.web import webhooks as webhooks_module
from bot.web.http.server import MAX_BODY_BYTES, bind
from bot.web.webhooks import WEBHOOK_PATH
from tests.support.clients.web_server import OTHER_SECRET, WEEK, Site, serve
from tests.support.fakes.backend import CLIP
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.webhooks import WEBHOOK_SECRET, signed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.support.fakes.bench import Bench


@pytest.fixture
async def site(bench: Bench) -> AsyncGenerator[Site]:
    async with serve(bench) as served:
        yield served


# Health


async def test_the_health_check_answers_ok(site: Site) -> None:
    response, body = await site.get("/healthz")
    assert (response.status, body) == (200, b"ok\n")


async def test_the_bot_is_ready_while_it_is_connected_to_discord(site: Site) -> None:
    assert (await site.get("/readyz"))[0].status == 200
    site.ready = False
    assert (await site.get("/readyz"))[0].status == 503


async def test_every_response_has_the_security_headers(site: Site) -> None:
    for path in ("/healthz", "/nowhere", "/d/nothing"):
        response, _ = await site.get(path)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_a_port_in_use_is_explained(site: Site) -> None:
    sentence = f"HTTP_PORT: can't listen on 127.0.0.1:{site.port} (Address already in use). "
    with pytest.raises(StartupError, match=re.escape(sentence)):
        bind("127.0.0.1", site.port)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_the_server_listens_on_ipv4_and_on_ipv6(host: str) -> None:
    with bind(host, 0) as listener:
        _, writer = await asyncio.open_connection(host, listener.getsockname()[1])
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("caller", ["127.0.0.1", "::1"])
async def test_a_wildcard_host_accepts_ipv4_and_ipv6(caller: str) -> None:
    with bind("::", 0) as listener:
        _, writer = await asyncio.open_connection(caller, listener.getsockname()[1])
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "[::1]", "not a host", "x" * 64])
async def test_a_host_that_is_not_of_this_machine_is_explained(host: str) -> None:
    with pytest.raises(StartupError, match=f"^HTTP_HOST: {re.escape(host)} "):
        bind(host, 0)


async def test_a_closed_server_leaves_its_port_free(bench: Bench) -> None:
    async with serve(bench) as site:
        pass
    bind("127.0.0.1", site.port).close()


# Webhooks


async def test_a_webhook_wakes_its_job(site: Site) -> None:
    bench = site.bench
    job = await bench.at(JobState.GENERATING)
    assert (await bench.now(job.id)).next_at != bench.clock()
    assert (await site.notify(job.remote_id or "")).status == 200
    assert (await bench.now(job.id)).next_at == bench.clock()


async def test_a_webhook_that_is_sent_twenty_times_is_one_row_and_one_wake(site: Site) -> None:
    bench = site.bench
    job = await bench.at(JobState.GENERATING)
    bench.changes.clear()
    answers = await asyncio.gather(*(site.notify(job.remote_id or "") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert await site.inbox() == [("wh_1", "video_1")]
    assert len(bench.changes) == 1


async def test_a_webhook_is_stored_before_it_is_answered_with_200(site: Site) -> None:
    assert (await site.notify("video_of_nobody", webhook_id="wh_9")).status == 200
    assert await site.inbox() == [("wh_9", "video_of_nobody")]


async def test_a_webhook_about_something_else_is_accepted_and_ignored(site: Site) -> None:
    assert (await site.notify("batch_1", kind="batch.completed")).status == 200
    assert await site.inbox() == []


EVENT = b'{"id": "wh_1", "type": "video.completed", "data": {"id": "video_1"}}'


@pytest.mark.parametrize("secret", [OTHER_SECRET, WEBHOOK_SECRET])
async def test_both_secrets_are_valid_during_a_rotation(secret: str, site: Site) -> None:
    headers = signed(EVENT, now=site.bench.clock(), secret=secret)
    assert (await site.post(EVENT, headers)).status == 200


@pytest.mark.parametrize("age", [-301, 301])
async def test_a_stale_webhook_is_refused(age: int, site: Site) -> None:
    headers = signed(EVENT, now=site.bench.clock() + age)
    assert (await site.post(EVENT, headers)).status == 401
    assert await site.inbox() == []


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (EVENT + b" ", {}),
        (EVENT, {"webhook-id": "wh_2"}),
        (EVENT, {"webhook-timestamp": "1800000001"}),
        (EVENT, {"webhook-timestamp": "NaN"}),
        (EVENT, {"webhook-signature": ""}),
        (EVENT, {"webhook-signature": "v1,forged"}),
        (EVENT, {"webhook-signature": "v1,f\u00f6rged"}),
        (EVENT, {"webhook-signature": "v2," + "A" * 43}),
        (EVENT, {"webhook-signature": "x" * 5000}),
        (b"\xff\xfe", {}),
    ],
)
async def test_a_forged_webhook_is_refused_and_leaves_no_row(
    body: bytes, changed: dict[str, str], site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {**signed(EVENT, now=site.bench.clock()), **changed}
    assert (await site.post(body, headers)).status == 401
    assert await site.inbox() == []
    assert "webhook.refused" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"type": "video.completed"}',
        b'{"type": "video.completed", "data": {"id": null}}',
        b"[" * 5000,
    ],
)
async def test_a_signed_webhook_that_is_unreadable_is_refused(body: bytes, site: Site) -> None:
    response = await site.post(body, signed(body, now=site.bench.clock()))
    assert response.status == 400
    assert await site.inbox() == []


async def test_a_webhook_without_a_signature_is_refused(site: Site) -> None:
    assert (await site.post(EVENT, {})).status == 401


async def test_undecodable_bytes_in_a_header_are_refused(site: Site) -> None:
    request = (
        f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nwebhook-id: ".encode()
        + b"\xff\xfe\r\nwebhook-timestamp: 1800000000\r\nwebhook-signature: v1,\xff\r\n\r\n"
    )
    status = await site.raw(request)
    assert status.split()[1] in {b"400", b"401"}


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    headers = signed(body, now=site.bench.clock())
    assert (await site.post(body, headers)).status == 413
    assert await site.inbox() == []


def unfinished_webhook(site: Site, *headers: str) -> bytes:
    given = [f"{name}: {value}" for name, value in signed(EVENT, now=site.bench.clock()).items()]
    lines = [f"POST {WEBHOOK_PATH} HTTP/1.1", "Host: x", *headers, *given, "", ""]
    return "\r\n".join(lines).encode()


async def test_a_webhook_body_that_never_arrives_times_out(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks_module, "_READ_SECONDS", 0.05)
    assert b"408" in await site.raw(unfinished_webhook(site, "Content-Length: 100") + b"abc")


async def test_a_sender_that_disconnects_during_a_webhook_is_not_logged_as_a_bug(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(bench) as site:
        # With Expect: 100-continue, the handler is already reading when the sender disconnects.
        head = unfinished_webhook(site, "Content-Length: 9", "Expect: 100-continue")
        assert b" 100 " in await site.raw(head)
    assert "web.failed" not in caplog.text


async def test_a_webhook_with_a_wrong_content_encoding_is_refused(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    body = b"no gzip"
    headers = {**signed(body, now=site.bench.clock()), "Content-Encoding": "gzip"}
    assert (await site.post(body, headers)).status == 400
    await site.get("/healthz")
    assert "Traceback" not in caplog.text


async def test_a_webhook_that_cant_be_stored_is_answered_with_503(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.bench.unwritable():
        assert (await site.notify("video_1")).status == 503
    assert "web.database_failed route=/api/webhook/video-events" in caplog.text
    assert (await site.notify("video_1")).status == 200
    assert await site.inbox() == [("wh_1", "video_1")]


async def test_a_webhook_must_be_posted(site: Site) -> None:
    assert (await site.get(WEBHOOK_PATH))[0].status == 405


# Downloads


async def finished(site: Site) -> tuple[str, bytes]:
    """Make a video, and return its link and its bytes."""
    job = await site.bench.at(JobState.SUCCEEDED)
    return site.links.make(job.id), CLIP + (job.remote_id or "").encode()


async def test_a_link_plays_the_video(site: Site) -> None:
    link, video = await finished(site)
    response, body = await site.get(link)
    assert (response.status, body) == (200, video)
    assert response.headers["Content-Type"] == "video/mp4"
    assert response.headers["Content-Disposition"].startswith('inline; filename="clapper-')
    assert response.headers["Cache-Control"] == "private"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Accept-Ranges"] == "bytes"


async def test_a_link_works_more_than_once(site: Site) -> None:
    link, video = await finished(site)
    assert {(await site.get(link))[1] for _ in range(3)} == {video}


async def test_a_player_may_request_a_range(site: Site) -> None:
    link, video = await finished(site)
    response, body = await site.get(link, headers={"Range": "bytes=4-8"})
    assert (response.status, body) == (206, video[4:9])
    assert response.headers["Content-Range"] == f"bytes 4-8/{len(video)}"
    assert (await site.get(link, headers={"Range": "bytes=-3"}))[1] == video[-3:]


async def test_a_range_past_the_end_is_refused(site: Site) -> None:
    link, _ = await finished(site)
    response, _ = await site.get(link, headers={"Range": "bytes=1000-"})
    assert response.status == 416


@pytest.mark.parametrize(
    "given",
    [
        "bytes=-0",
        "bytes=1000-",
        "bytes=1000-2000",
        "BYTES=1000-",
        "bytes=1000-,2000-",
        "bytes=-0,-0",
    ],
)
async def test_a_range_of_which_nothing_exists_is_refused(site: Site, given: str) -> None:
    link, video = await finished(site)
    response, _ = await site.get(link, headers={"Range": given})
    assert response.status == 416
    assert response.headers["Content-Range"] == f"bytes */{len(video)}"


@pytest.mark.parametrize(
    "given",
    [
        "items=0-1",
        "seconds=1-",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=x-1",
        "bytes=5-2",
        "bytes=1-2,x",
        "bytes=+1-2",
        "bytes=0-1,4-5",
        "bytes=0-1, 1000-",
        f"bytes={'9' * 5000}-",
        "0-1",
    ],
)
async def test_an_invalid_range_or_several_are_answered_with_the_whole_file(
    site: Site, given: str
) -> None:
    link, video = await finished(site)
    response, body = await site.get(link, headers={"Range": given})
    assert (response.status, body) == (200, video)
    assert "Content-Range" not in response.headers


@pytest.mark.parametrize(
    ("given", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("Bytes=2-", 2, None),
        ("bytes=-1", -1, None),
        ("bytes=-9999", 0, None),
        ("bytes= 1-2", 1, 3),
        ("bytes=1-2,", 1, 3),
        ("bytes=3-99999", 3, None),
    ],
)
async def test_a_range_is_cut_to_what_exists(
    site: Site, given: str, start: int, stop: int | None
) -> None:
    link, video = await finished(site)
    response, body = await site.get(link, headers={"Range": given})
    assert (response.status, body) == (206, video[start:stop])


async def test_a_head_request_ignores_ranges(site: Site) -> None:
    link, video = await finished(site)
    response, _ = await site.get(link, method="HEAD", headers={"Range": "bytes=1-2"})
    assert response.status == 200
    assert response.headers["Content-Length"] == str(len(video))


async def test_a_crawler_may_send_a_head_request(site: Site) -> None:
    link, video = await finished(site)
    response, body = await site.get(link, method="HEAD")
    assert (response.status, body) == (200, b"")
    assert response.headers["Content-Length"] == str(len(video))


async def test_every_invalid_link_gets_the_same_404(site: Site) -> None:
    link, video = await finished(site)
    pending = await site.bench.at(JobState.MERGING)
    other = Links(b"another", public_url="", lifetime=WEEK, clock=site.bench.clock)
    wrong = [
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        other.make(pending.id),
        site.links.make(pending.id),
        site.links.make("0" * 32),
        "/d/nothing",
        "/d/..%2F..%2Fclapper.db",
    ]
    answers = [await site.get(each) for each in wrong]
    site.bench.clock.advance(WEEK)
    answers.append(await site.get(link))
    assert {response.status for response, _ in answers} == {404}
    assert len({body for _, body in answers}) == 1
    assert video not in answers[0][1]


async def test_a_video_that_was_deleted_is_not_found(site: Site) -> None:
    job = await site.bench.at(JobState.SUCCEEDED)
    site.bench.workspace.video(job.id).unlink()
    response, _ = await site.get(site.links.make(job.id))
    assert response.status == 404


# Limits


@pytest.mark.parametrize(
    "half", [b"", b"GET /hea", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-More: "]
)
async def test_an_incomplete_request_times_out(half: bytes, bench: Bench) -> None:
    async with serve(bench, request_seconds=0.05) as site:
        assert await site.raw(half) == b""


async def test_a_second_request_on_a_connection_times_out_like_the_first(bench: Bench) -> None:
    async with serve(bench, request_seconds=0.05) as site, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.count(b"HTTP/1.1 200") == 1


async def test_a_slow_response_is_not_cut_off(bench: Bench) -> None:
    async def linger(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun, ")
        # A silent second connection times out, which shows that the time limit has passed.
        assert await site.raw(b"") == b""
        await response.write(b"and ended")
        return response

    async with serve(bench, [web.get("/slow", linger)], request_seconds=0.05) as site:
        _, body = await site.get("/slow")
    assert body == b"begun, and ended"


async def test_connections_past_the_limit_are_refused_until_one_is_free(bench: Bench) -> None:
    async with serve(bench, max_connections=2) as site, asyncio.timeout(PATIENCE):
        held = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(2)]
        for reader, writer in held:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in await reader.readline()
        with pytest.raises((aiohttp.ClientConnectionError, ConnectionError)):
            await site.get("/healthz")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        while not await _is_accepted(site):
            pass


async def _is_accepted(site: Site) -> bool:
    try:
        return (await site.get("/healthz"))[0].status == 200
    except aiohttp.ClientConnectionError:
        return False


# Bugs


async def test_a_bug_is_one_answer_and_one_log_entry_without_the_link(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: web.Request) -> web.Response:
        raise ZeroDivisionError

    async with serve(bench, [web.get("/x/{token}", fail)]) as site:
        response, body = await site.get("/x/s3cret")
    assert (response.status, body) == (500, b"internal error\n")
    assert caplog.text.count("web.failed route=/x/{token}") == 1
    assert "s3cret" not in caplog.text


async def test_a_response_that_has_started_is_left_unchanged(bench: Bench) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"already sent")
        return response

    async with serve(bench, [web.get("/stream", stream)]) as site:
        _, body = await site.get("/stream")
    assert body == b"already sent"
