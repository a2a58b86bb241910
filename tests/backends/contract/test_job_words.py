"""Ids, status words and ends of jobs in the words of providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.backends.base import RemoteState
from bot.errors import UnconfirmedSubmitError
from tests.support.providers.openai_setup import NOW
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from tests.support.providers.contract_world import World

NAMED = (
    {"task_id": "v1"},
    {"task_id": "v1", "status": "SUBMITTED"},
    {"video_id": "v1", "status": "queued"},
    {"job_id": "v1"},
    {"taskId": "v1", "state": "waiting"},
    {"generation_id": "v1", "state": "queued"},
    {"code": "success", "message": "", "data": {"task_id": "v1", "status": "NOT_START"}},
    {"code": 0, "message": "SUCCEED", "data": {"task_id": "v1", "task_status": "submitted"}},
    {"output": {"task_id": "v1", "task_status": "PENDING"}, "request_id": "r1"},
    {"code": 200, "msg": "success", "data": {"taskId": "v1"}},
    {"task_id": "v1", "base_resp": {"status_code": 0, "status_msg": "success"}},
    {"status": "success", "data": {"id": "v1", "status": "processing"}},
    {"id": "v1", "task_id": "another", "status": "queued"},
    {"request_id": "v1", "status": "IN_QUEUE", "status_url": "https://queue.example/v1"},
    {"code": 200, "data": [{"status": "submitted", "task_id": "v1"}]},
    {"code": 0, "data": {"task": {"id": "v1", "status": "queued"}}},
    {"code": 0, "data": {"data": {"id": "v1", "status": "queued"}}},
    {"video": {"id": "v1", "status": "queued"}},
)


async def test_an_id_under_another_name_is_the_id(world: World) -> None:
    for body in NAMED:
        world.api.add_faults("create", Fault(status=200, body=body))
        update = await world.backend.submit(world.entry.request, create_key="k")
        assert update.ref == "v1", body
        assert update.state in {RemoteState.QUEUED, RemoteState.RUNNING}, body
    assert world.creates == len(NAMED)


async def test_an_id_of_something_else_is_no_id(world: World) -> None:
    for body in (
        {"object": "list", "data": [{"id": "v9", "status": "queued"}]},
        {"data": [{"id": "v8", "status": "queued"}], "has_more": False},
        {"data": [{"id": "v8", "status": "queued"}, {"id": "v9", "status": "queued"}]},
        {"requestId": "r1", "data": {"status": "queued"}},
    ):
        world.api.add_faults("create", Fault(status=200, body=body))
        assert isinstance(await world.refused(), UnconfirmedSubmitError), body


async def test_an_answer_of_very_many_envelopes_leaves_the_create_unconfirmed(
    world: World,
) -> None:
    body: dict[str, Any] = {}
    for _ in range(450):
        body = {"data": body}
    world.api.add_faults("create", Fault(status=200, body={"message": "moderation", **body}))
    assert isinstance(await world.refused(), UnconfirmedSubmitError)


LINK = "https://cdn.example/v.mp4"
ENDS: tuple[tuple[dict[str, Any], RemoteState], ...] = (
    ({"task_id": "v", "status": "SUCCESS", "progress": "100%"}, RemoteState.DONE),
    ({"task_id": "v", "status": "FAILURE", "fail_reason": "boom"}, RemoteState.FAILED),
    ({"code": "success", "data": {"task_id": "v", "status": "SUCCESS"}}, RemoteState.DONE),
    ({"id": "v", "status": "wonderful", "progress": 100, "video_url": LINK}, RemoteState.DONE),
    ({"id": "v", "status": "processing", "progress": 100, "url": LINK}, RemoteState.DONE),
    ({"id": "v", "status": "wonderful", "finished_at": NOW, "url": LINK}, RemoteState.DONE),
    ({"id": "v", "finished_at": NOW, "output": {"video_url": LINK}}, RemoteState.DONE),
    ({"id": "v", "video_url": LINK}, RemoteState.DONE),
    ({"id": "v", "status": "terrible", "fail_reason": "boom"}, RemoteState.FAILED),
    ({"id": "v", "status": "terrible", "error": {"message": "boom"}}, RemoteState.FAILED),
    ({"id": "v", "failure_reason": "boom"}, RemoteState.FAILED),
    ({"id": "v", "status": "completed", "error": {"message": "filtered"}}, RemoteState.FAILED),
    ({"id": "v", "status": "completed", "error": "slow", "url": LINK}, RemoteState.DONE),
    (
        {"id": "v", "status": "completed", "error": {"code": None, "message": None}},
        RemoteState.DONE,
    ),
    ({"id": "v", "status": "completed", "error": {"code": "", "message": ""}}, RemoteState.DONE),
    ({"id": "v", "status": "completed", "error": {"code": 0, "message": "OK!"}}, RemoteState.DONE),
    ({"id": "v", "status": "completed", "error": "None"}, RemoteState.DONE),
    ({"id": "v", "status": "completed", "error": ["null"]}, RemoteState.DONE),
    ({"id": "v", "status": "completed", "error": {"code": 500}}, RemoteState.FAILED),
    ({"id": "v", "status": "completed", "error": {"message": "filtered"}}, RemoteState.FAILED),
    ({"id": "v", "error": {"code": None, "message": None}}, RemoteState.RUNNING),
    ({"id": "v", "url": LINK, "progress": 40}, RemoteState.RUNNING),
    ({"id": "v", "status": "processing", "url": LINK, "progress": 50}, RemoteState.RUNNING),
    ({"id": "v", "status": "processing", "fail_reason": ""}, RemoteState.RUNNING),
    ({"id": "v", "status": "wonderful", "progress": 100}, RemoteState.RUNNING),
    ({"id": "v", "status": "processing", "finish_time": 0, "url": LINK}, RemoteState.RUNNING),
    ({"id": "v", "status": "processing", "input": {"url": LINK}}, RemoteState.RUNNING),
    (
        {"task_id": "v", "status": "Processing", "base_resp": {"status_code": 0}},
        RemoteState.RUNNING,
    ),
    (
        {"task_id": "v", "base_resp": {"status_code": 1027, "status_msg": "new_sensitive"}},
        RemoteState.FAILED,
    ),
)


async def test_an_end_may_be_shown_by_other_fields(world: World) -> None:
    ref = await world.submit()
    for body, state in ENDS:
        world.api.shape = lambda _, body=body: body
        assert (await world.backend.poll(ref)).state is state, body


async def test_an_end_that_was_only_inferred_is_marked(world: World) -> None:
    ref = await world.submit()
    for word, inferred in (("terrible", True), ("failed", False), ("FAILURE", False)):
        world.api.shape = lambda job, word=word: job | {"status": word, "error": "boom"}
        assert (await world.backend.poll(ref)).inferred is inferred, word


async def test_the_link_of_a_success_is_found_where_new_api_puts_it(world: World) -> None:
    ref = await world.submit()
    world.api.shape = lambda _: {"task_id": "v", "status": "SUCCESS", "fail_reason": LINK}
    update = await world.backend.poll(ref)
    assert (update.state, update.result_url) == (RemoteState.DONE, LINK)
