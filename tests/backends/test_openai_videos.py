from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.backends.capabilities import OPENAI
from bot.backends.openai_videos import OpenAIVideos
from bot.model import VideoRequest
from tests.support.providers.openai_setup import KEY, REQUEST, submit
from tests.support.providers.stand_in import Fault
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.backends.base import VideoBackend

pytest_plugins = ["tests.support.providers.openai_fixtures"]


def test_the_adapter_is_a_video_backend() -> None:
    backend: VideoBackend = OpenAIVideos(base_url="http://127.0.0.1:1/v1", api_key=None)
    assert backend.capabilities == replace(OPENAI, webhooks=False)
    assert backend.name == "openai"


async def test_the_form_holds_the_request(api: VideosApi, backend: OpenAIVideos) -> None:
    await submit(backend)
    (call,) = api.made("POST")
    assert call.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert call.headers["Authorization"] == f"Bearer {KEY}"
    assert call.form == {
        "prompt": REQUEST.prompt,
        "model": "sora-2",
        "seconds": "8",
        "size": "1280x720",
    }


async def test_without_a_model_the_server_chooses_one(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    request = VideoRequest(prompt="Привет, 虹", model=None, seconds=4, size="1280x720")
    await submit(backend, request)
    (call,) = api.made("POST")
    assert call.form == {"prompt": "Привет, 虹", "seconds": "4", "size": "1280x720"}


EXTRA = {"fps": 24, "negative_prompt": "", "loras": [{"id": "a"}], "size": "1x1"}


async def test_a_form_may_hold_more_fields_than_the_request(
    api: VideosApi, connect: Callable[..., OpenAIVideos]
) -> None:
    await submit(connect(api.base_url, extra=EXTRA))
    (call,) = api.made("POST")
    ours = {"prompt": REQUEST.prompt, "model": "sora-2", "seconds": "8", "size": "1280x720"}
    assert call.form == ours | {"fps": "24", "negative_prompt": "", "loras": '[{"id": "a"}]'}


async def test_the_create_may_be_json(api: VideosApi, connect: Callable[..., OpenAIVideos]) -> None:
    await submit(connect(api.base_url, body="json", extra=EXTRA))
    (call,) = api.made("POST")
    assert call.headers["Content-Type"] == "application/json"
    ours = {"prompt": REQUEST.prompt, "model": "sora-2", "seconds": 8, "size": "1280x720"}
    assert call.form == {**EXTRA, **ours}


async def test_the_create_key_is_sent_in_a_declared_header(
    clip: Path, connect: Callable[..., OpenAIVideos]
) -> None:
    async with VideosApi(clip=clip, idempotency_header="Idempotency-Key") as api:
        backend = connect(api.base_url, idempotency_header="Idempotency-Key")
        first = await backend.submit(REQUEST, create_key="key-1")
        again = await backend.submit(REQUEST, create_key="key-1")
        other = await backend.submit(REQUEST, create_key="key-2")
    assert [call.headers["Idempotency-Key"] for call in api.made("POST")] == [
        "key-1",
        "key-1",
        "key-2",
    ]
    assert first.ref == again.ref != other.ref


async def test_without_a_declared_header_none_is_sent(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    await submit(backend)
    assert "key-1" not in str(api.calls)


async def test_the_sdks_deprecation_warning_is_not_raised(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await submit(backend) in api.jobs


async def test_a_deletion_that_finds_nothing_is_believed_only_if_a_retrieve_agrees(
    api: VideosApi, backend: OpenAIVideos
) -> None:
    ref = (await backend.submit(REQUEST, create_key="k")).ref
    api.add_faults("delete", Fault(status=404, body={"detail": "Video not found"}))
    assert not await backend.cancel(ref)
    assert ref in api.jobs
    assert await backend.cancel(ref)
    assert await backend.cancel(ref)
