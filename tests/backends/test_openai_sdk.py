"""Tests of the stand-in and of the storyboard with OpenAI's own SDK."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

import openai
import pytest

from bot.errors import MediaError
from tests.support.providers.openai_setup import bytes_of
from tests.support.providers.videos_api import Fault, VideosApi, sign
from tests.support.storyboard import ManualRenderer, open_board, open_receiver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

pytest_plugins = ["tests.support.providers.openai_fixtures"]

KEY = "sk-made-up"
SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
FIELDS = {"prompt": "a rainbow", "model": "sora-2", "seconds": "8", "size": "1280x720"}


@contextlib.contextmanager
def without_its_warning() -> Iterator[None]:
    """Suppress the SDK's deprecation warning for the Videos API."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Sora API.*", DeprecationWarning)
        yield


@contextlib.asynccontextmanager
async def package(base_url: str, key: str = KEY) -> AsyncGenerator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0) as sdk:
        with without_its_warning():
            yield sdk


async def test_the_sdk_makes_a_video_with_the_stand_in(api: VideosApi, clip: Path) -> None:
    async with package(api.base_url) as sdk:
        video = await sdk.videos.create(**FIELDS)
        assert (video.status, video.progress, video.error) == ("queued", 0, None)
        assert (video.prompt, video.seconds, video.size) == ("a rainbow", "8", "1280x720")
        api.progress(video.id, 40)
        assert (await sdk.videos.retrieve(video.id)).progress == 40
        api.finish(video.id)
        done = await sdk.videos.poll(video.id, poll_interval_ms=1)
        assert (done.status, done.progress) == ("completed", 100)
        assert done.completed_at is not None
        assert done.expires_at is not None
        content = await sdk.videos.download_content(video.id, variant="video")
        assert content.content == bytes_of(clip)
        assert (await sdk.videos.delete(video.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await sdk.videos.retrieve(video.id)


async def test_the_sdk_reads_the_error_of_a_job_of_the_stand_in(api: VideosApi) -> None:
    async with package(api.base_url) as sdk:
        video = await sdk.videos.create(prompt="a rainbow")
        api.fail(video.id, "moderation_blocked", "Not that.")
        failed = await sdk.videos.poll(video.id)
        assert failed.status == "failed"
        assert failed.error
        assert (failed.error.code, failed.error.message) == ("moderation_blocked", "Not that.")


async def test_the_sdk_pages_through_the_list_of_the_stand_in(api: VideosApi) -> None:
    async with package(api.base_url) as sdk:
        made = [(await sdk.videos.create(prompt=f"number {n}")).id for n in range(5)]
        newest = [video.id async for video in sdk.videos.list(limit=2)]
        oldest = [video.id async for video in sdk.videos.list(limit=2, order="asc")]
    assert oldest == made
    assert newest == made[::-1]


async def test_the_sdk_recognizes_the_errors_of_the_stand_in(clip: Path) -> None:
    async with VideosApi(clip=clip, key=KEY) as api:
        async with package(api.base_url, key="sk-wrong") as sdk:
            with pytest.raises(openai.AuthenticationError) as refused:
                await sdk.videos.create(prompt="a rainbow")
            assert refused.value.code == "invalid_api_key"
        async with package(api.base_url) as sdk:
            with pytest.raises(openai.BadRequestError):
                await sdk.videos.create(**FIELDS | {"size": "1x1"})
            api.add_faults("create", Fault(status=429, body={"error": {"message": "slow"}}))
            with pytest.raises(openai.RateLimitError):
                await sdk.videos.create(prompt="a rainbow")
            video = await sdk.videos.create(prompt="a rainbow")
            with pytest.raises(openai.NotFoundError):
                await sdk.videos.download_content(video.id)
    assert len(api.creates) == 1


async def test_the_sdk_accepts_the_signature_of_the_stand_in() -> None:
    body = b'{"id":"evt_1","object":"event","type":"video.completed","data":{"id":"video_1"}}'
    async with package("http://127.0.0.1:1/v1") as sdk:
        now = 1_900_000_000
        headers = sign(SECRET, "wh_1", now, body)
        with pytest.raises(openai.InvalidWebhookSignatureError, match="too new"):
            sdk.webhooks.verify_signature(body, headers, secret=SECRET)
        sdk.webhooks.verify_signature(body, headers, secret=SECRET, tolerance=10**10)
        with pytest.raises(openai.InvalidWebhookSignatureError):
            sdk.webhooks.verify_signature(body + b" ", headers, secret=SECRET, tolerance=10**10)


async def test_the_sdk_reads_the_error_of_a_job_of_the_storyboard(tmp_path: Path) -> None:
    renderer = ManualRenderer()
    renderer.error = MediaError("ffmpeg ended with code 1")
    async with (
        open_receiver() as receiver,
        open_board(tmp_path, renderer, receiver) as board,
        package(board.base_url) as sdk,
    ):
        video = await sdk.videos.create(**FIELDS)
        await receiver.next()
        failed = await sdk.videos.poll(video.id)
        assert failed.status == "failed"
        assert failed.error
        assert failed.error.code == "render_failed"
        with pytest.raises(openai.NotFoundError):
            await sdk.videos.download_content(video.id)


async def test_the_sdk_recognizes_the_errors_of_the_storyboard(tmp_path: Path) -> None:
    async with (
        open_board(tmp_path, ManualRenderer()) as board,
        package(board.base_url) as sdk,
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            await sdk.videos.create(prompt="")
        assert refused.value.code
        with pytest.raises(openai.NotFoundError):
            await sdk.videos.retrieve("video_nobodys")
