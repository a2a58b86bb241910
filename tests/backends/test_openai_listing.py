from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bot.backends.base import AnsweredJob, Listing
from bot.backends.echo import Order
from bot.errors import BackendError, ErrorKind
from tests.support.providers.openai_setup import NOW, REQUEST, submit
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.openai_videos import OpenAIVideos
    from bot.model import VideoRequest

pytest_plugins = ["tests.support.providers.openai_fixtures"]


DAY = 24 * 60 * 60


def other(**changes: object) -> VideoRequest:
    return dataclasses.replace(REQUEST, **changes)


async def find(backend: OpenAIVideos, *hints: str, request: VideoRequest = REQUEST) -> Listing:
    return await backend.find(request, hints=hints)


async def test_only_jobs_of_the_same_request_are_found(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    for request in (other(prompt="else"), other(seconds=4), other(size="720x1280")):
        await submit(backend, request)
    await submit(backend, other(prompt=f"  {REQUEST.prompt.replace(' ', chr(10))} "))
    assert (await find(backend)).refs == (api.creates[-1],)


@pytest.mark.parametrize(("lengths", "count"), [((), 2), ((4, 8, 12), 2), ((8, 9), 1)])
async def test_a_length_is_compared_exactly_where_lengths_are_a_second_apart(
    api: VideosApi, backend: OpenAIVideos, lengths: tuple[int, ...], count: int
) -> None:
    backend.capabilities = dataclasses.replace(backend.capabilities, lengths=lengths)
    ours, another = await submit(backend), await submit(backend)
    api.shape = lambda job: job | ({"seconds": "9"} if job["id"] == another else {})
    listing = await find(backend)
    assert len(listing.refs) == count
    assert ours in listing.refs
    assert (await backend.poll(another)).echo.contradicts(REQUEST) is (count == 1)


async def test_two_jobs_of_the_same_request_are_both_found(backend: OpenAIVideos) -> None:
    refs = [await submit(backend), await submit(backend)]
    assert {*(await find(backend)).refs} == {*refs}


@pytest.mark.parametrize("field", ["prompt", "seconds", "size", "model", "created_at", "object"])
async def test_a_field_that_is_absent_does_not_contradict(
    api: VideosApi, backend: OpenAIVideos, field: str
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: {name: value for name, value in job.items() if name != field}
    assert await find(backend) == Listing(refs=(ref,), complete=True)


async def test_a_job_without_its_prompt_is_found_too(api: VideosApi, backend: OpenAIVideos) -> None:
    silent = await submit(backend)
    speaking = await submit(backend)
    api.shape = lambda job: job | ({"prompt": None} if job["id"] == silent else {})
    listing = await find(backend)
    assert {*listing.refs} == {silent, speaking}
    assert {ref: echo.prompt is None for ref, echo in listing.echoes.items()} == {
        silent: True,
        speaking: False,
    }


async def test_a_job_that_is_not_found_does_not_make_the_others_uncertain(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    other_ref = await submit(backend, other(seconds=4))
    ref = await submit(backend)
    api.shape = lambda job: job | ({"prompt": None} if job["id"] == other_ref else {})
    assert await find(backend) == Listing(refs=(ref,), complete=True)


@pytest.mark.parametrize(
    "echo",
    [
        {"seconds": 8},
        {"seconds": 8.0},
        {"seconds": "8.06"},
        {"size": "1280x704"},
        {"seconds": "about eight"},
        {"size": "1280 X 720"},
        {"size": "720p"},
        {"size": {"width": 1280}},
        {"model": "alias-of-another"},
        {"prompt": None, "model": "openai/sora-2"},
        {"prompt": None, "model": "sora-2-2025-12-08"},
    ],
)
async def test_an_equivalent_echo_does_not_contradict(
    api: VideosApi, backend: OpenAIVideos, echo: dict[str, Any]
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | echo
    assert (await find(backend)).refs == (ref,)


async def test_without_an_echoed_prompt_the_model_tells_jobs_apart(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"prompt": None, "model": "veo"}
    assert (await find(backend)).refs == ()
    assert (await find(backend, request=other(model=None))).refs == (ref,)


async def test_no_job_is_left_out_because_of_its_age(api: VideosApi, backend: OpenAIVideos) -> None:
    old = await submit(backend)
    new = await submit(backend)
    api.jobs[old]["created_at"] = NOW - 40 * DAY
    assert await find(backend) == Listing(refs=(new, old), complete=True)


def answered(ref: str, *, is_earlier: bool = True, **changes: Any) -> AnsweredJob:
    order = Order(ref=ref, request=REQUEST, made_at=NOW)
    return AnsweredJob(order=dataclasses.replace(order, **changes), is_earlier=is_earlier)


async def paged(
    api: VideosApi, connect: Callable[..., OpenAIVideos]
) -> tuple[OpenAIVideos, list[str]]:
    """Return an adapter that reads two jobs a page, and nine jobs, each 100 s older."""
    backend = connect(api.base_url, page_size=2)
    refs = [await submit(backend) for _ in range(9)][::-1]
    for age, ref in enumerate(refs):
        api.jobs[ref]["created_at"] = NOW - age * 100
    return backend, refs


async def test_all_pages_are_read(api: VideosApi, connect: Callable[..., OpenAIVideos]) -> None:
    backend, refs = await paged(api, connect)
    assert await find(backend) == Listing(refs=tuple(refs), complete=True)
    pages = api.made("GET", "/videos")
    assert [page.query.get("after") for page in pages] == [None, *refs[1:8:2]]
    assert pages[0].query["limit"] == "2"
    assert pages[0].query["order"] == "desc"


async def test_pages_are_read_back_to_a_job_that_was_answered_before(
    api: VideosApi, connect: Callable[..., OpenAIVideos]
) -> None:
    backend, refs = await paged(api, connect)
    listing = await backend.find(REQUEST, answered=(answered(refs[1]), answered(refs[2])))
    assert listing == Listing(refs=tuple(refs[:6]), complete=True, shows_own=True)


@pytest.mark.parametrize(
    "known",
    [
        {"is_earlier": False},
        {"request": other(prompt="else")},
        {"made_at": NOW - 1000},
        {"is_echoed": False},
    ],
)
async def test_pages_are_read_to_the_end_if_no_job_in_them_was_surely_answered_before(
    api: VideosApi, connect: Callable[..., OpenAIVideos], known: dict[str, Any]
) -> None:
    backend, refs = await paged(api, connect)
    listing = await backend.find(REQUEST, answered=(answered(refs[1], **known),))
    assert listing.refs == tuple(refs)


async def test_a_server_that_lists_the_oldest_first_is_read_to_the_end(
    api: VideosApi, connect: Callable[..., OpenAIVideos]
) -> None:
    backend = connect(api.base_url, page_size=2)
    refs = [await submit(backend) for _ in range(5)]
    for ref in refs[:4]:
        api.jobs[ref]["created_at"] = NOW - 600
    api.jobs = dict(reversed(api.jobs.items()))
    listing = await backend.find(REQUEST, answered=(answered(refs[4]),))
    assert listing == Listing(refs=tuple(refs), complete=True, shows_own=True)


@pytest.mark.parametrize(
    "echo",
    [{"prompt": "as the model improved it"}, {"size": "640x360"}, {"seconds": "5"}],
)
async def test_a_list_that_shows_no_job_as_it_was_ordered_does_not_show_it(
    api: VideosApi, backend: OpenAIVideos, echo: dict[str, str]
) -> None:
    ref = await submit(backend)
    assert (await backend.find(REQUEST, answered=(answered(ref),))).shows_own
    api.shape = lambda job: job | echo
    assert not (await backend.find(REQUEST, answered=(answered(ref),))).shows_own


@pytest.mark.parametrize("shown", [0, 1, 2])
async def test_a_list_without_the_newest_answered_job_shows_no_job_of_ours(
    api: VideosApi, backend: OpenAIVideos, shown: int
) -> None:
    """Sorted the other way and cut off, it lacks a new job as well, though it shows old ones."""
    refs = [await submit(backend) for _ in range(3)]
    page = {"object": "list", "data": [api.jobs[ref] for ref in refs[:shown]], "has_more": False}
    api.add_faults("list", Fault(status=200, body=page))
    newest_first = tuple(answered(ref) for ref in reversed(refs))
    assert not (await backend.find(REQUEST, answered=newest_first)).shows_own
    assert (await backend.find(REQUEST, answered=newest_first)).shows_own


@pytest.mark.parametrize("ending", ["", "...", " …"])
async def test_a_prompt_that_is_cut_off_does_not_contradict(
    api: VideosApi, backend: OpenAIVideos, ending: str
) -> None:
    request = other(prompt="a very long story about a cat, " * 9)
    ref = await submit(backend, request)
    api.shape = lambda job: job | {"prompt": job["prompt"][:40] + ending}
    assert (await find(backend, request=request)).refs == (ref,)


async def test_too_many_pages_leave_the_listing_incomplete(
    api: VideosApi, connect: Callable[..., OpenAIVideos]
) -> None:
    backend = connect(api.base_url, page_size=1, max_pages=2)
    refs = [await submit(backend) for _ in range(3)]
    assert await find(backend) == Listing(refs=(refs[2], refs[1]), complete=False)


def page(*jobs: object, **fields: object) -> Fault:
    return Fault(status=200, body={"object": "list", "data": list(jobs), **fields})


ONE = {"id": "v1", "prompt": REQUEST.prompt}


async def test_a_listing_that_ends_with_an_empty_page_is_complete(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    api.add_faults("list", page(ONE), page())
    assert await find(backend) == Listing(refs=("v1",), complete=True)
    assert api.made("GET")[-1].query["after"] == "v1"


INCOMPLETE = {
    "pages that repeat": [page(ONE), page(ONE)],
    "more, but nothing follows": [page(has_more=True)],
    "an entry without an id": [page(ONE, {"prompt": "?"}, has_more=False)],
    "an entry that is no job": [page(ONE, 7, has_more=False)],
    "no list": [Fault(status=200, body={"object": "list"})],
    "no JSON": [Fault(status=200, body="<html>")],
    "no listing, 400": [Fault(status=400, body={"error": "no"})],
    "no listing, 404": [Fault(status=404)],
    "no listing, 405": [Fault(status=405)],
    "a second page that is missing": [page(ONE, has_more=True), Fault(status=404)],
}


@pytest.mark.parametrize("faults", INCOMPLETE.values(), ids=INCOMPLETE)
async def test_a_listing_that_may_hide_jobs_is_incomplete(
    api: VideosApi, backend: OpenAIVideos, faults: list[Fault]
) -> None:
    api.add_faults("list", *faults)
    listing = await find(backend)
    assert not listing.complete
    assert listing.refs == (("v1",) if faults[0].body and "v1" in str(faults[0].body) else ())


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, ErrorKind.AUTH), (429, ErrorKind.RATE), (500, ErrorKind.TRANSIENT)],
)
async def test_a_listing_that_fails_is_an_error(
    api: VideosApi, backend: OpenAIVideos, status: int, kind: ErrorKind
) -> None:
    api.add_faults("list", Fault(status=status))
    with pytest.raises(BackendError) as caught:
        await find(backend)
    assert caught.value.kind is kind


async def test_hints_are_looked_up_where_there_is_no_listing(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ours = await submit(backend)
    theirs = await submit(backend, other(prompt="else"))
    api.add_faults("list", Fault(status=405))
    listing = await find(backend, ours, theirs, "video_unknown", ours)
    assert listing == Listing(refs=(ours,), complete=False)


async def test_hints_that_are_listed_are_not_looked_up(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    assert await find(backend, ref) == Listing(refs=(ref,), complete=True)
    assert len(api.made("GET")) == 1


async def test_a_hint_keeps_its_ref(api: VideosApi, backend: OpenAIVideos) -> None:
    ref = await submit(backend)
    api.add_faults("list", page(has_more=False))
    api.shape = lambda job: job | {"id": "another"}
    assert await find(backend, ref) == Listing(refs=(ref,), complete=True)


async def test_a_job_that_a_webhook_named_and_that_is_not_found_is_not_proven_absent(
    backend: OpenAIVideos,
) -> None:
    assert await find(backend, "unknown") == Listing(refs=(), complete=False)


async def test_a_hint_that_can_not_be_looked_up_is_an_error(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    api.add_faults("retrieve", Fault(status=500))
    with pytest.raises(BackendError):
        await find(backend, "v1")
