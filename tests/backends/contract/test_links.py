"""The clip under the names of providers: as a link, inside an answer, or in another container."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from bot.backends.base import RemoteState
from bot.errors import ErrorKind
from tests.support.providers.contract_world import another_host
from tests.support.providers.openai_setup import KEY, bytes_of
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.providers.contract_world import World

LINKS: tuple[object, ...] = (
    {"video_url": "LINK"},
    {"videos": [{"url": "LINK"}]},
    {"output": ["LINK"]},
    {"output": {"video_url": "LINK"}},
    {"data": {"video_url": "LINK"}},
    {"result": {"url": "LINK"}},
    {"content": {"video_url": "LINK"}},
    {"assets": {"image": "http://127.0.0.1:1/i", "video": "LINK"}},
    {"task_result": {"videos": [{"url": "LINK"}]}},
    {"input": {"url": "http://127.0.0.1:1/i"}, "resultUrls": ["LINK"]},
    {"thumbnail_url": "http://127.0.0.1:1/t", "video": {"url": "LINK"}},
    {"data": {"resultJson": '{"resultUrls": ["LINK"]}'}},
    {"video_result": [{"cover_image_url": "http://127.0.0.1:1/c", "url": "LINK"}]},
    {"result": '{"video": {"url": "LINK"}}'},
    {"asset": {"url": "LINK"}},
    {"links": {"self": "http://127.0.0.1:1/s", "download": "LINK"}},
    {"video": {"poster": "http://127.0.0.1:1/p", "src": "LINK"}},
)


def done_with(field: object) -> Callable[[dict[str, Any]], object]:
    """Shape a job into one that is done and has these fields, in no provider's own form."""
    fields = dict(field) if isinstance(field, dict) else {}
    return lambda job: {"id": job["id"], "status": "completed", **fields}


async def test_a_link_under_another_name_is_followed_if_there_is_no_content(world: World) -> None:
    async with another_host(world.clip) as (host, requests):
        world.backend = world.connect(result_origins=(host,))
        ref = await world.submit()
        world.api.finish(ref)
        for link in LINKS:
            said = json.loads(json.dumps(link).replace("LINK", f"{host}/v.mp4"))
            world.api.shape = done_with(said)
            world.api.add_faults("content", Fault(status=404, body={"detail": "no"}))
            assert await world.fetch(await world.backend.poll(ref)) == bytes_of(world.clip), said
            world.sink.unlink()
            world.api.clear_faults("content")
    assert len(requests) == len(LINKS)
    assert KEY not in str([request.headers for request in requests])


async def test_a_link_into_a_private_network_is_not_followed_under_any_name(world: World) -> None:
    async with another_host(world.clip) as (host, requests):
        ref = await world.submit()
        world.api.finish(ref)
        for link in LINKS:
            said = json.loads(json.dumps(link).replace("LINK", f"{host}/v.mp4"))
            world.api.shape = done_with(said)
            world.api.add_faults("content", Fault(status=404, body={"detail": "no"}))
            error = await world.not_fetched(await world.backend.poll(ref))
            assert "PrivateAddressError" in error.message, said
            world.api.clear_faults("content")
    assert not requests


async def test_a_clip_inside_the_jobs_answer_is_only_written_to_the_file(world: World) -> None:
    ref = await world.submit()
    world.api.finish(ref)
    # Longer than an answer may be.
    padding = (6_000_000).to_bytes(4, "big") + b"free" + b"\0" * 5_999_992
    text = base64.b64encode(bytes_of(world.clip) + padding).decode()
    whole = base64.b64decode(text)
    for said in (
        {"video_url": f"data:video/mp4;base64,{text}"},
        {"output": [f"data:video/mp4;base64,{text}"]},
        {"data": [{"b64_json": text}]},
        {"input_video": f"data:video/mp4;base64,{text[:4000]}", "video": {"b64_json": text}},
    ):
        world.api.shape = done_with(said)
        world.api.add_faults("content", Fault(status=404, body={"detail": "no"}))
        update = await world.backend.poll(ref)
        assert update.state is RemoteState.DONE
        assert len(update.result_url or "") < 100
        await world.backend.fetch(update, world.sink, max_bytes=len(whole))
        assert bytes_of(world.sink) == whole, list(said)
        world.sink.unlink()
        world.api.clear_faults("content")


async def test_a_clip_in_another_container_is_accepted(world: World) -> None:
    update = await world.finished()
    for start in (b"\x1a\x45\xdf\xa3", b"GIF89a", b"\0\0\0\x08wide\0\0\0\x08mdat"):
        body = start + b"\0" * 100
        world.api.add_faults("content", Fault(status=200, body=body))
        assert await world.fetch(update) == body
        world.sink.unlink()


async def test_a_page_instead_of_the_content_leaves_the_link(world: World) -> None:
    async with another_host(world.clip) as (host, _):
        world.backend = world.connect(result_origins=(host,))
        ref = await world.submit()
        world.api.finish(ref)
        world.api.shape = done_with({"video_url": f"{host}/v.mp4"})
        world.api.add_faults("content", Fault(status=200, body="<html>All our models</html>"))
        assert await world.fetch(await world.backend.poll(ref)) == bytes_of(world.clip)


async def test_a_link_helps_whatever_the_content_is_refused_for(world: World) -> None:
    async with another_host(world.clip) as (host, _):
        world.backend = world.connect(result_origins=(host,))
        ref = await world.submit()
        world.api.finish(ref)
        world.api.shape = done_with({"video_url": f"{host}/v.mp4"})
        update = await world.backend.poll(ref)
        for status in (401, 403, 404, 500, 502):
            world.api.add_faults("content", Fault(status=status, body={"detail": "no"}))
            assert await world.fetch(update) == bytes_of(world.clip), status
            world.sink.unlink()
        world.api.shape = done_with({"video_url": f"{host}/gone.mp4"})
        update = await world.backend.poll(ref)
        for status, kind in ((500, ErrorKind.TRANSIENT), (404, ErrorKind.GONE)):
            world.api.add_faults("content", Fault(status=status, body={"detail": "no"}))
            assert (await world.not_fetched(update)).kind is kind, status
