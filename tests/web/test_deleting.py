"""Clients delete their own jobs, and see posters of their videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.support.clients.described import document
from tests.support.clients.site import OTHER_TOKEN, TOKEN, Caller, open_site
from tests.support.media.clips import make_clip

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench, public_url="http://127.0.0.1") as opened:
        yield opened


async def delete(caller: Caller, job_id: str, token: str = TOKEN) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with caller.http.delete(f"/api/jobs?jobId={job_id}", headers=headers) as answer:
        assert str(answer.status) in document()["paths"]["/api/jobs"]["delete"]["responses"]
        return answer.status


async def test_a_deleted_job_is_gone_with_its_video_its_prompt_and_its_links(
    caller: Caller,
) -> None:
    job_id = await caller.made()
    _, share = await caller.ask("POST", f"/api/share?jobId={job_id}")
    assert await delete(caller, job_id) == 204
    for path in ("status", "download", "poster"):
        status, answer = await caller.ask("GET", f"/api/{path}?jobId={job_id}")
        assert (status, answer["error"]["key"]) == (404, "api.unknown_job")
    assert await caller.ask("GET", "/api/jobs") == (200, {"jobs": []})
    async with caller.http.get(share["url"].removeprefix("http://127.0.0.1")) as page:
        assert page.status == 404
    job = await caller.bench.now(job_id)
    assert (job.request.prompt, job.deleted_at) == ("", caller.bench.clock())
    workspace = caller.bench.workspace
    assert not workspace.video(job_id).exists()
    assert not workspace.poster(job_id).exists()
    assert await delete(caller, job_id) == 404


async def test_an_open_job_has_to_be_cancelled_before_it_is_deleted(caller: Caller) -> None:
    job_id = await caller.order()
    status, answer = await caller.ask("DELETE", f"/api/jobs?jobId={job_id}")
    assert (status, answer["error"]["key"]) == (409, "reply.still_open")
    assert (await caller.ask("GET", f"/api/status?jobId={job_id}"))[0] == 200
    await caller.ask("POST", f"/api/cancel?jobId={job_id}")
    await caller.finish(job_id)
    assert await delete(caller, job_id) == 204


async def test_a_client_deletes_no_job_of_another(caller: Caller) -> None:
    job_id = await caller.made()
    assert await delete(caller, job_id, OTHER_TOKEN) == 404
    assert await delete(caller, job_id, "") == 401
    assert await delete(caller, "0" * 32) == 404
    assert (await caller.ask("GET", f"/api/status?jobId={job_id}"))[0] == 200


async def test_an_order_that_was_deleted_is_not_made_again_by_its_key(caller: Caller) -> None:
    headers = {"Idempotency-Key": "one"}
    job_id = await caller.order(headers=headers)
    await caller.finish(job_id)
    assert await delete(caller, job_id) == 204
    assert await caller.order(headers=headers) == job_id
    assert len(caller.bench.backend.charged) == 1


async def test_a_finished_video_has_a_poster_in_its_shape(caller: Caller, tmp_path: Path) -> None:
    job_id = await caller.made()
    video = caller.bench.workspace.video(job_id)
    make_clip(video, seconds=1)
    signed = {"Authorization": f"Bearer {TOKEN}"}
    async with caller.http.get(f"/api/poster?jobId={job_id}", headers=signed) as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["Cache-Control"] == "private, no-cache"
        tag = answer.headers["ETag"]
        (tmp_path / "poster.jpg").write_bytes(await answer.read())
    with Image.open(tmp_path / "poster.jpg") as picture:
        assert picture.width > picture.height > 0
    again = signed | {"If-None-Match": tag}
    async with caller.http.get(f"/api/poster?jobId={job_id}", headers=again) as answer:
        assert answer.status == 304


async def test_there_is_no_poster_before_the_video_or_of_an_unreadable_one(caller: Caller) -> None:
    job_id = await caller.order()
    status, answer = await caller.ask("GET", f"/api/poster?jobId={job_id}")
    assert (status, answer["error"]["key"]) == (409, "api.not_ready")
    await caller.finish(job_id)
    caller.bench.workspace.video(job_id).write_bytes(b"no video")
    status, answer = await caller.ask("GET", f"/api/poster?jobId={job_id}")
    assert (status, answer["error"]["key"]) == (404, "api.no_poster")
