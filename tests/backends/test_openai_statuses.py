"""The pages of the list that serve to poll many jobs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState, StatusPage
from bot.errors import BackendError, ErrorKind
from tests.support.providers.openai_setup import NOW, submit
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from bot.backends.openai_videos import OpenAIVideos

pytest_plugins = ["tests.support.providers.openai_fixtures"]


def limits(api: VideosApi) -> list[str]:
    return [call.query["limit"] for call in api.made("GET", "/videos")]


async def page(backend: OpenAIVideos, after: str | None = None) -> StatusPage:
    found = await backend.list_statuses(after)
    assert found is not None
    return found


async def test_a_page_tells_the_states_of_a_hundred_jobs(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    refs = [await submit(backend) for _ in range(103)][::-1]
    api.progress(refs[0], 40)
    api.finish(refs[1])
    first = await page(backend)
    assert [update.ref for update in first.updates] == refs[:100]
    assert [(update.state, update.progress) for update in first.updates[:3]] == [
        (RemoteState.RUNNING, 40),
        (RemoteState.DONE, 100),
        (RemoteState.QUEUED, 0),
    ]
    assert {update.echo.answered_at for update in first.updates} == {NOW}
    second = await page(backend, first.after)
    assert [update.ref for update in second.updates] == refs[100:]
    assert second.after is None


@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_that_refuses_a_hundred_jobs_is_asked_for_fifty(
    api: VideosApi, backend: OpenAIVideos, status: int
) -> None:
    refs = [await submit(backend) for _ in range(60)][::-1]
    api.add_faults("list", Fault(status=status, body={"error": "limit must be at most 50"}))
    first = await page(backend)
    assert [update.ref for update in first.updates] == refs[:50]
    await page(backend, first.after)
    assert limits(api) == ["100", "50", "50"]


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_a_server_without_a_list_is_told_apart_from_one_that_fails(
    api: VideosApi, backend: OpenAIVideos, status: int
) -> None:
    api.add_faults("list", *(Fault(status=status) for _ in range(2)))
    assert await backend.list_statuses(None) is None


async def test_a_refusal_of_fifty_jobs_does_not_lower_the_number_for_later(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    api.add_faults("list", Fault(status=400), Fault(status=400))
    await backend.list_statuses(None)
    await backend.list_statuses(None)
    assert limits(api) == ["100", "50", "100"]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, ErrorKind.AUTH), (429, ErrorKind.RATE), (503, ErrorKind.TRANSIENT)]
)
async def test_a_page_that_is_refused_for_now_is_an_error(
    api: VideosApi, backend: OpenAIVideos, status: int, kind: ErrorKind
) -> None:
    api.add_faults("list", Fault(status=status, headers={"Retry-After": "7"}))
    with pytest.raises(BackendError) as caught:
        await backend.list_statuses(None)
    assert (caught.value.kind, caught.value.retry_after) == (kind, 7)


@pytest.mark.parametrize("status", [400, 404])
async def test_the_list_ends_where_the_next_page_begins_after_a_deleted_job(
    api: VideosApi, backend: OpenAIVideos, status: int
) -> None:
    api.add_faults("list", Fault(status=status, body={"error": "There is no such video."}))
    assert await backend.list_statuses("deleted") == StatusPage(updates=())
    assert len(api.made("GET")) == 1


async def test_unreadable_entries_are_left_out(api: VideosApi, backend: OpenAIVideos) -> None:
    ref = await submit(backend)
    entries = [7, {"prompt": "?"}, {"id": "../x"}, {"id": ref, "status": "running"}]
    api.add_faults("list", Fault(status=200, body={"object": "list", "data": entries}))
    found = await page(backend)
    assert [update.ref for update in found.updates] == ["../x", ref]
    assert found.after == ref


async def test_an_empty_page_is_the_last_one(api: VideosApi, backend: OpenAIVideos) -> None:
    api.add_faults("list", Fault(status=200, body={"data": [], "has_more": True}))
    assert await page(backend) == StatusPage(updates=())
