from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import openai
import pytest

from bot.errors import MediaError, StartupError
from bot.storyboard.clip_service import KEPT_SECONDS, ClipService
from bot.storyboard.clip_store import ClipStore
from tests.support.blank_texts import BLANK_TEXTS
from tests.support.storyboard import FIELDS, VIDEO, ManualRenderer, files, open_board, open_receiver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.clock import Clock
    from tests.support.storyboard import ApiCaller, Receiver

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
def renderer() -> ManualRenderer:
    return ManualRenderer()


@pytest.fixture
async def board(
    tmp_path: Path, renderer: ManualRenderer, receiver: Receiver
) -> AsyncGenerator[ApiCaller]:
    async with open_board(tmp_path, renderer, receiver, waiting=3) as opened:
        yield opened


@pytest.fixture
async def busy(tmp_path: Path, receiver: Receiver) -> AsyncGenerator[ApiCaller]:
    """Yield a storyboard that renders its first clip until that clip is deleted."""
    renderer = ManualRenderer(go=False)
    renderer.percent = 41
    async with open_board(tmp_path, renderer, receiver, waiting=3) as opened:
        await opened.create(key="the busy one")
        await renderer.started.get()
        yield opened


async def test_a_clip_is_queued_then_completed_and_can_be_downloaded(
    board: ApiCaller, receiver: Receiver
) -> None:
    created = await board.create(model="sora-2")
    assert created["status"] == "queued"
    assert created["progress"] == 0
    assert created["model"] == "sora-2"
    await receiver.next()
    done = await board.get(created["id"])
    assert (done["status"], done["progress"]) == ("completed", 100)
    assert done["expires_at"] == done["completed_at"] + KEPT_SECONDS
    content = await board.ask("GET", f"/videos/{created['id']}/content?variant=video")
    assert content.raw == VIDEO
    assert content.headers["Content-Type"] == "video/mp4"


async def test_the_openai_package_can_use_the_storyboard(
    board: ApiCaller, receiver: Receiver
) -> None:
    async with openai.AsyncOpenAI(api_key="none", base_url=board.base_url) as client:
        with pytest.warns(DeprecationWarning, match="Sora API"):
            video = await client.videos.create(prompt="Ein Wald", seconds="4", size="1280x720")
        await receiver.next()
        with pytest.warns(DeprecationWarning, match="Sora API"):
            assert (await client.videos.retrieve(video.id)).status == "completed"
        with pytest.warns(DeprecationWarning, match="Sora API"):
            content = await client.videos.download_content(video.id)
        assert content.content == VIDEO
        with pytest.warns(DeprecationWarning, match="Sora API"):
            listed = [each.id async for each in client.videos.list()]
        assert listed == [video.id]
        with pytest.warns(DeprecationWarning, match="Sora API"):
            assert (await client.videos.delete(video.id)).deleted


async def test_a_part_of_the_video_can_be_downloaded(board: ApiCaller, receiver: Receiver) -> None:
    video = await board.create()
    await receiver.next()
    part = await board.ask("GET", f"/videos/{video['id']}/content", headers={"Range": "bytes=4-7"})
    assert (part.status, part.raw) == (206, b"ftyp")


async def test_a_multipart_order_is_the_same_as_a_json_one(board: ApiCaller) -> None:
    form = aiohttp.FormData(FIELDS, default_to_multipart=True)
    answer = await board.ask("POST", "/videos", data=form)
    assert answer.status == 200
    assert answer.body["prompt"] == FIELDS["prompt"]
    assert answer.body["seconds"] == "8"


async def test_omitted_fields_get_openais_defaults(board: ApiCaller) -> None:
    answer = await board.ask("POST", "/videos", json={"prompt": "a", "seconds": None})
    assert (answer.body["seconds"], answer.body["size"]) == ("4", "720x1280")


async def test_a_clip_shows_its_true_percentage_while_it_is_rendered(busy: ApiCaller) -> None:
    (video,) = (await busy.ask("GET", "/videos")).body["data"]
    assert (video["status"], video["progress"]) == ("in_progress", 41)


async def test_the_video_of_an_unfinished_clip_is_not_available_yet(busy: ApiCaller) -> None:
    (video,) = (await busy.ask("GET", "/videos")).body["data"]
    answer = await busy.ask("GET", f"/videos/{video['id']}/content")
    assert (answer.status, answer.error["code"]) == (404, "video_not_ready")


async def test_a_failed_clip_gives_the_reason(
    board: ApiCaller, renderer: ManualRenderer, receiver: Receiver
) -> None:
    renderer.error = MediaError("ffmpeg ended with code 1", "a secret path")
    video = await board.create()
    assert (await receiver.next()).event["type"] == "video.failed"
    failed = await board.get(video["id"])
    assert failed["status"] == "failed"
    assert failed["completed_at"] is None
    assert failed["error"]["code"] == "render_failed"
    assert "secret" not in failed["error"]["message"]


async def test_a_bug_in_the_renderer_fails_its_clip_and_no_other(
    board: ApiCaller, renderer: ManualRenderer, receiver: Receiver
) -> None:
    renderer.error = ZeroDivisionError()
    bad = await board.create()
    await receiver.next()
    renderer.error = None
    good = await board.create()
    await receiver.next()
    assert (await board.get(bad["id"]))["error"]["code"] == "server_error"
    assert (await board.get(good["id"]))["status"] == "completed"


async def test_the_same_idempotency_key_gives_the_same_clip(
    board: ApiCaller, renderer: ManualRenderer, receiver: Receiver
) -> None:
    first, second = await asyncio.gather(board.create(key="k"), board.create(key="k"))
    await receiver.next()
    third = await board.create(key="k")
    assert first["id"] == second["id"] == third["id"]
    assert len(renderer.orders) == 1


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_an_invalid_idempotency_key_is_refused(board: ApiCaller, key: str) -> None:
    answer = await board.ask("POST", "/videos", json=FIELDS, headers={"Idempotency-Key": key})
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")


async def test_an_idempotency_key_with_another_order_is_refused(board: ApiCaller) -> None:
    await board.create(key="k")
    other = FIELDS | {"seconds": "4"}
    answer = await board.ask("POST", "/videos", json=other, headers={"Idempotency-Key": "k"})
    assert (answer.status, answer.error["code"]) == (400, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": BLANK_TEXTS["a mixture"]}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "a" * 32_001}, "prompt"),
        ({"prompt": "a \ud800 b"}, "prompt"),
        ({"model": ["sora-2"]}, "model"),
        ({"seconds": "0"}, "seconds"),
        ({"seconds": "61"}, "seconds"),
        ({"seconds": "8.5"}, "seconds"),
        ({"seconds": "٨"}, "seconds"),
        ({"seconds": {}}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"size": "1280"}, "size"),
        ({"size": "1281x720"}, "size"),
        ({"size": "62x720"}, "size"),
        ({"size": "4096x2160"}, "size"),
        ({"size": "2048x2048"}, "size"),
        ({"size": 720}, "size"),
        ({"size": "1280x720;drawtext"}, "size"),
        ({"input_reference": {"file_id": "file-1"}}, "input_reference"),
    ],
)
async def test_an_order_that_cannot_be_rendered_is_refused(
    board: ApiCaller, fields: dict[str, object], param: str
) -> None:
    answer = await board.ask("POST", "/videos", data=json.dumps(FIELDS | fields), headers=JSON)
    assert (answer.status, answer.error["param"]) == (400, param)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_order_is_refused(board: ApiCaller, body: bytes) -> None:
    answer = await board.ask("POST", "/videos", data=body, headers=JSON)
    assert (answer.status, answer.error["code"]) == (400, None)


async def test_a_broken_form_is_refused(board: ApiCaller) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    answer = await board.ask("POST", "/videos", data=b"--x", headers=headers)
    assert answer.status == 400
    assert answer.error["message"]


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_a_body_that_is_too_large_is_refused(board: ApiCaller, kind: str) -> None:
    body = b"x" * 600_000
    answer = await board.ask("POST", "/videos", data=body, headers={"Content-Type": kind})
    assert answer.status == 413
    assert answer.error["type"] == "invalid_request_error"


async def test_a_request_from_a_web_page_is_refused(board: ApiCaller) -> None:
    headers = {"Origin": "https://example.org"}
    answer = await board.ask("POST", "/videos", data=FIELDS, headers=headers)
    assert answer.status == 403
    assert answer.error["message"]


async def test_a_full_queue_refuses_clips_until_one_is_deleted(busy: ApiCaller) -> None:
    waiting = [await busy.create() for _ in range(3)]
    answer = await busy.ask("POST", "/videos", json=FIELDS)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.error["code"] == "rate_limit_exceeded"
    await busy.ask("DELETE", f"/videos/{waiting[0]['id']}")
    await busy.create()


async def test_deleting_a_clip_stops_its_rendering_and_starts_the_next(
    tmp_path: Path, receiver: Receiver
) -> None:
    renderer = ManualRenderer(go=False)
    async with open_board(tmp_path, renderer, receiver) as board:
        first = await board.create()
        await renderer.started.get()
        second = await board.create()
        answer = await board.ask("DELETE", f"/videos/{first['id']}")
        assert answer.body == {"id": first["id"], "object": "video.deleted", "deleted": True}
        await renderer.started.get()
        renderer.go.set()
        assert (await receiver.next()).video == second["id"]
        assert (await board.ask("GET", f"/videos/{first['id']}")).status == 404
        assert not files(tmp_path, f"{first['id']}*")


async def test_a_queued_clip_that_was_deleted_is_never_rendered(
    tmp_path: Path, receiver: Receiver
) -> None:
    renderer = ManualRenderer(go=False)
    async with open_board(tmp_path, renderer, receiver) as board:
        await board.create()
        gone = await board.create(prompt="gone")
        await board.create(prompt="last")
        await board.ask("DELETE", f"/videos/{gone['id']}")
        renderer.go.set()
        await receiver.next()
        await receiver.next()
    assert [order.prompt for order in renderer.orders] == [FIELDS["prompt"], "last"]


async def test_a_clip_is_deleted_with_its_video_and_its_idempotency_key(
    board: ApiCaller, receiver: Receiver, tmp_path: Path
) -> None:
    video = await board.create(key="k")
    await receiver.next()
    await board.ask("DELETE", f"/videos/{video['id']}")
    assert not files(tmp_path, "video_*")
    assert (await board.create(key="k"))["id"] != video["id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/videos/video_0"),
        ("GET", "/videos/video_0/content"),
        ("DELETE", "/videos/video_0"),
        ("GET", "/videos/..%2F..%2Fetc%2Fpasswd/content"),
        ("GET", "/elsewhere"),
    ],
)
async def test_an_unknown_path_is_not_found(board: ApiCaller, method: str, path: str) -> None:
    answer = await board.ask(method, path)
    assert answer.status == 404
    assert answer.error["type"] == "invalid_request_error"


async def test_there_are_no_thumbnails(board: ApiCaller, receiver: Receiver) -> None:
    video = await board.create()
    await receiver.next()
    answer = await board.ask("GET", f"/videos/{video['id']}/content?variant=thumbnail")
    assert (answer.status, answer.error["param"]) == (404, "variant")


async def test_the_list_is_paged_in_both_orders(busy: ApiCaller) -> None:
    ids = [(await busy.ask("GET", "/videos")).body["data"][0]["id"]]
    ids += [(await busy.create())["id"] for _ in range(3)]
    first = (await busy.ask("GET", "/videos?limit=3&order=asc")).body
    assert [video["id"] for video in first["data"]] == ids[:3]
    assert (first["first_id"], first["last_id"], first["has_more"]) == (ids[0], ids[2], True)
    rest = (await busy.ask("GET", f"/videos?limit=3&order=asc&after={ids[2]}")).body
    assert [video["id"] for video in rest["data"]] == ids[3:]
    assert not rest["has_more"]
    newest = (await busy.ask("GET", "/videos")).body
    assert [video["id"] for video in newest["data"]] == ids[::-1]


async def test_an_empty_page_names_no_ids(board: ApiCaller) -> None:
    page = (await board.ask("GET", "/videos?limit=0")).body
    assert (page["data"], page["first_id"], page["has_more"]) == ([], None, False)


@pytest.mark.parametrize(
    "query", ["limit=101", "limit=-1", "limit=x", "limit=²", "order=up", "after=video_0"]
)
async def test_a_listing_with_invalid_parameters_is_refused(board: ApiCaller, query: str) -> None:
    answer = await board.ask("GET", f"/videos?{query}")
    assert (answer.status, answer.error["param"]) == (400, query.partition("=")[0])


async def test_a_clip_expires_a_day_after_it_was_finished(
    tmp_path: Path, clock: Clock, receiver: Receiver
) -> None:
    async with open_board(
        tmp_path, ManualRenderer(), receiver, clock=clock, steady=clock.steady
    ) as board:
        video = await board.create()
        await receiver.next()
        clock.advance(KEPT_SECONDS - 1)
        assert (await board.get(video["id"]))["status"] == "completed"
        clock.advance(1)
        assert (await board.ask("GET", f"/videos/{video['id']}")).status == 404
        assert (await board.ask("GET", "/videos")).body["data"] == []


async def test_an_expired_clip_is_deleted_an_hour_after_a_start(
    tmp_path: Path, clock: Clock, receiver: Receiver
) -> None:
    async with open_board(tmp_path, ManualRenderer(), receiver, clock=clock) as board:
        video = await board.create()
        await receiver.next()
    clock.advance(KEPT_SECONDS)
    store = ClipStore(tmp_path)
    await store.open()
    service = ClipService(
        store, ManualRenderer(), None, clock=clock, steady=clock.steady, waiting=1, renders=1
    )
    await service.start()
    await service.sweep()
    assert service.get(video["id"])
    clock.advance(3600)
    await service.sweep()
    assert not files(tmp_path, "video_*")
    await service.close()
    await store.close()


@pytest.mark.parametrize("ahead", [-400 * 86_400.0, 2 * 86_400.0, 400 * 86_400.0])
async def test_a_clip_does_not_expire_because_the_clock_is_set(
    tmp_path: Path, clock: Clock, receiver: Receiver, ahead: float
) -> None:
    renderer = ManualRenderer()
    async with open_board(tmp_path, renderer, receiver, clock=clock, steady=clock.steady) as board:
        path = f"/videos/{(await board.create())['id']}"
        await receiver.next()
        clock.adopt(ahead)
        assert (await board.ask("GET", f"{path}/content")).status == 200
    async with open_board(tmp_path, renderer, clock=clock, steady=clock.steady) as board:
        clock.adopt(ahead)
        assert (await board.ask("GET", f"{path}/content")).status == 200
        clock.advance(KEPT_SECONDS)
        assert (await board.ask("GET", path)).status == 404


async def test_a_port_in_use_is_reported_in_one_sentence(board: ApiCaller, tmp_path: Path) -> None:
    port = int(board.base_url.split(":")[2].removesuffix("/v1"))
    with pytest.raises(StartupError, match="choose another port"):
        async with open_board(tmp_path / "other", ManualRenderer(), port=port):
            pass
    async with open_board(tmp_path / "other", ManualRenderer()):
        pass  # the failed start released the directory
