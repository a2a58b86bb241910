"""Answers of servers that were not started, as their documentation or source gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from tests.support.providers.openai_setup import MAX_BYTES, REQUEST, bytes_of, submit
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from pathlib import Path

    from bot.backends.openai_videos import OpenAIVideos

pytest_plugins = ["tests.support.providers.openai_fixtures"]

AIBRIX_ENTRY = ("id", "object", "model", "created_at", "expires_at")


async def test_a_job_of_bifrost_is_found_under_an_id_that_ends_with_the_vendor(
    api: VideosApi, backend: OpenAIVideos, tmp_path: Path
) -> None:
    api.new_id = lambda: "17f20503-14ed-4e2c-9a5c-1b3f0d6f4a6e:runway"
    ref = await submit(backend)
    api.finish(ref)
    update = await backend.poll(ref)
    assert (update.state, update.ref) == (RemoteState.DONE, ref)
    await backend.fetch(update, sink := tmp_path / "clip.mp4", max_bytes=MAX_BYTES)
    assert bytes_of(sink) == bytes_of(api.clip)
    assert await backend.cancel(ref)


async def test_the_list_of_aibrix_shows_no_prompts_so_it_proves_nothing(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: {name: job.get(name) for name in AIBRIX_ENTRY}
    listing = await backend.find(REQUEST)
    assert listing.refs in {(), (ref,)}
    assert not listing.complete or all(not echo.prompt for echo in listing.echoes.values())
    assert not listing.shows_own


async def test_a_503_of_aibrix_does_not_say_that_nothing_was_accepted(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    api.add_faults("create", Fault(after=True, status=503, body={"error": {"message": "registry"}}))
    with pytest.raises(UnconfirmedSubmitError):
        await submit(backend)


async def test_unsloth_studio_rounds_the_length_to_whole_frames(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = await submit(backend)
    api.shape = lambda job: job | {"seconds": "8.04", "model": "unsloth/LTX-2.3-GGUF"}
    assert (await backend.find(REQUEST)).refs == (ref,)


UNSLOTH: list[tuple[int, dict[str, Any]]] = [
    (409, {"error": {"message": "A video generation is already in progress."}}),
    (503, {"detail": "No video model is loaded."}),
]


@pytest.mark.parametrize(("status", "body"), UNSLOTH)
async def test_unsloth_studio_without_room_or_model_is_not_asked_twice(
    api: VideosApi, backend: OpenAIVideos, status: int, body: dict[str, Any]
) -> None:
    api.add_faults("create", Fault(status=status, body=body))
    with pytest.raises(UnconfirmedSubmitError):
        await submit(backend)
    assert len(api.calls) == 1


async def test_a_size_that_unsloth_studio_can_not_make_is_a_clear_refusal(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    message = "size 1280x720 is not available for this model: use 1280x704 or 704x1280."
    api.add_faults("create", Fault(status=400, body={"error": {"message": message}}))
    with pytest.raises(BackendError) as refused:
        await submit(backend)
    assert refused.value.kind is ErrorKind.INVALID
