"""Tests that everything below `/api` is refused in JSON, also by aiohttp itself."""

from __future__ import annotations

import asyncio
from http import HTTPMethod
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.web.api import routes
from tests.support.clients import described
from tests.support.clients.site import TOKEN, Caller, open_site
from tests.support.fakes.backend import CLIP

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench

SIGNED = {"Authorization": f"Bearer {TOKEN}"}
LARGE = 32 * 1024 * 1024


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def refused(caller: Caller, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Send a request that is refused in JSON, and return the status and the error's key."""
    async with caller.http.request(method, path, headers=SIGNED | headers) as response:
        assert response.content_type == "application/json", (method, path)
        if method == "HEAD":
            return response.status, ""
        answer: dict[str, Any] = await response.json()
    described.validate({"$ref": "#/components/schemas/Error"}, answer)
    assert answer["requestId"] == response.headers["X-Request-Id"]
    return response.status, answer["error"]["key"]


async def test_an_unsupported_method_is_refused_in_json(
    caller: Caller,
) -> None:
    served: dict[str, set[str]] = {}
    for route in caller.site.routes:
        if route.path.startswith(("/api/", "/ws")):
            methods = served.setdefault(route.path, set())
            methods.update({route.method, "HEAD"} if route.method == "GET" else {route.method})
    for path, methods in served.items():
        for method in set(HTTPMethod) - methods - {"CONNECT", "HEAD"}:
            assert await refused(caller, method, path) == (405, "api.no_method")
        async with caller.http.request("TRACE", path) as response:
            assert set(response.headers["Allow"].split(",")) == methods


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api/status/more"])
async def test_an_unknown_path_is_refused_in_json(caller: Caller, path: str) -> None:
    for method in set(HTTPMethod) - {"CONNECT"}:
        assert (await refused(caller, method, path))[0] == 404


async def test_a_request_that_is_not_a_websocket_is_refused_in_json(caller: Caller) -> None:
    assert await refused(caller, "GET", "/ws") == (400, "api.bad_request")


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"Range": "bytes=99999-"}, (416, "api.no_part")),
        ({"Range": "bytes=-0"}, (416, "api.no_part")),
        ({"If-Match": '"another"'}, (412, "api.changed")),
        ({"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, (412, "api.changed")),
    ],
)
async def test_an_invalid_range_and_a_failed_precondition_are_refused_in_json(
    caller: Caller, headers: dict[str, str], answer: tuple[int, str]
) -> None:
    path = f"/api/download?jobId={await caller.made()}"
    assert await refused(caller, "GET", path, **headers) == answer
    status, body = await caller.ask("GET", path, headers=headers)
    assert (status, body["error"]["key"]) == answer
    async with caller.http.get(path, headers=SIGNED | headers) as response:
        length = response.headers.get("Content-Range")
    assert length is None or length.startswith("bytes */")


async def test_if_range_sends_a_part_only_of_the_version_that_the_caller_has(
    caller: Caller,
) -> None:
    path = f"/api/download?jobId={await caller.made()}"
    async with caller.http.get(path, headers=SIGNED) as response:
        whole, tag = await response.read(), response.headers["ETag"]
        modified = response.headers["Last-Modified"]
    for condition, status in ((tag, 206), (modified, 206), ('"another"', 200), (f"W/{tag}", 200)):
        sent = SIGNED | {"Range": "bytes=1-3", "If-Range": condition}
        async with caller.http.get(path, headers=sent) as response:
            assert response.status == status
            assert await response.read() == (whole[1:4] if status == 206 else whole)


async def test_a_video_that_is_deleted_just_before_it_is_sent_is_gone(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def vanish(path: Path, size: int) -> bool:
        await asyncio.to_thread(path.unlink)
        return size > 0

    job_id = await caller.made()
    monkeypatch.setattr(routes, "is_intact", vanish)
    assert await refused(caller, "GET", f"/api/download?jobId={job_id}") == (410, "api.expired")


async def test_a_delivery_that_cant_be_stored_is_logged_once_and_the_video_is_sent_whole(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await caller.made()
    async with caller.bench.unwritable():
        async with caller.http.get(f"/api/download?jobId={job_id}", headers=SIGNED) as response:
            body = await response.read()
        await caller.http.get(
            "/healthz"
        )  # on the same connection, so the previous request has ended
    assert (response.status, body[: len(CLIP)]) == (200, CLIP)
    assert caplog.text.count(f"download.not_noted id={job_id}") == 1
    assert "Unhandled" not in caplog.text


async def test_an_aborted_response_is_not_followed_by_an_error_response(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = await caller.made()
    video = caller.bench.workspace.video(job_id)

    async def cut(path: Path, size: int) -> bool:
        await asyncio.to_thread(video.write_bytes, bytes(LARGE))
        return path.name != "" and size > 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "is_intact", cut)
        async with caller.http.get(f"/api/download?jobId={job_id}", headers=SIGNED) as response:
            assert response.content_length == LARGE
            await asyncio.to_thread(video.write_bytes, b"")
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
    assert caplog.text.count("web.failed") == 1
    assert "became shorter" in caplog.text
