"""The bot with new-api, whose task routes differ from the Videos API."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from tests.support.media import clips
from tests.support.providers.new_api import CHANNELS, NewApi
from tests.support.providers.openai_setup import KEY, MAX_BYTES, REQUEST, bytes_of, over_the_sdk
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.backends.openai_videos import OpenAIVideos


@asynccontextmanager
async def gateway(folder: Path, channel: str) -> AsyncGenerator[tuple[NewApi, OpenAIVideos]]:
    clip = folder / "clip.mp4"
    await asyncio.to_thread(clips.make_clip, clip, seconds=1, size="320x180")
    async with NewApi(channel=channel, clip=clip, key=KEY) as api:
        backend = over_the_sdk(base_url=api.base_url, api_key=KEY)
        try:
            yield api, backend
        finally:
            await backend.close()


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_job_of_every_channel_is_followed_to_its_clip(tmp_path: Path, channel: str) -> None:
    async with gateway(tmp_path, channel) as (api, backend):
        created = await backend.submit(REQUEST, create_key="k")
        [ref] = api.jobs
        assert (created.ref, created.state) == (ref, RemoteState.QUEUED)
        waiting = await backend.poll(ref)
        assert (waiting.ref, waiting.state) == (ref, RemoteState.QUEUED)
        api.progress(ref, 40)
        running = await backend.poll(ref)
        assert (running.ref, running.state, running.progress) == (ref, RemoteState.RUNNING, 40)
        api.finish(ref)
        done = await backend.poll(ref)
        assert (done.ref, done.state) == (ref, RemoteState.DONE)
        assert not done.echo.is_made_after(created.echo.made_at)
        await backend.fetch(done, tmp_path / "got.mp4", max_bytes=MAX_BYTES)
        assert bytes_of(tmp_path / "got.mp4") == bytes_of(tmp_path / "clip.mp4")


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_failed_job_of_every_channel_tells_its_reason(tmp_path: Path, channel: str) -> None:
    async with gateway(tmp_path, channel) as (api, backend):
        ref = (await backend.submit(REQUEST, create_key="k")).ref
        api.fail(ref, "", "InputTextSensitiveContentDetected")
        failed = await backend.poll(ref)
        assert failed.state is RemoteState.FAILED
        assert failed.error is not None
        assert failed.error.kind is ErrorKind.MODERATED


async def test_a_400_for_an_unknown_task_means_that_the_job_is_gone(
    tmp_path: Path,
) -> None:
    async with gateway(tmp_path, "Sora") as (_, backend):
        with pytest.raises(BackendError) as caught:
            await backend.poll("task_unknown")
        assert caught.value.kind is ErrorKind.GONE


async def test_content_that_is_asked_for_too_early_is_not_gone(tmp_path: Path) -> None:
    async with gateway(tmp_path, "Sora") as (api, backend):
        ref = (await backend.submit(REQUEST, create_key="k")).ref
        api.finish(ref)
        done = await backend.poll(ref)
        api.progress(ref, 99)
        with pytest.raises(BackendError) as caught:
            await backend.fetch(done, tmp_path / "got.mp4", max_bytes=MAX_BYTES)
        assert caught.value.kind is ErrorKind.TRANSIENT


UPSTREAM = '{"error":{"code":"moderation_blocked","message":"Your request was blocked."}}'
REFUSALS = (
    (400, "fail_to_fetch_task", UPSTREAM, ErrorKind.MODERATED),
    (429, "fail_to_fetch_task", '{"error":{"message":"Too many requests"}}', ErrorKind.RATE),
    (403, "insufficient_user_quota", "用户额度不足", ErrorKind.BALANCE),
    (400, "sensitive_words_detected", "user sensitive words detected", ErrorKind.MODERATED),
    (400, "model_price_error", "模型 sora-2 倍率或价格未配置", ErrorKind.INVALID),
)


@pytest.mark.parametrize(("status", "code", "message", "kind"), REFUSALS)
async def test_a_refusal_in_an_upstream_answer_keeps_its_meaning(
    tmp_path: Path, status: int, code: str, message: str, kind: ErrorKind
) -> None:
    body = {"code": code, "message": message, "data": None}
    async with gateway(tmp_path, "Sora") as (api, backend):
        api.add_faults("create", Fault(status=status, body=body))
        with pytest.raises(BackendError) as caught:
            await backend.submit(REQUEST, create_key="k")
        assert caught.value.kind is kind


async def test_a_gateway_that_lost_the_upstream_answer_leaves_the_create_unconfirmed(
    tmp_path: Path,
) -> None:
    body = {"code": "do_request_failed", "message": "upstream error: EOF", "data": None}
    async with gateway(tmp_path, "Sora") as (api, backend):
        api.add_faults("create", Fault(status=500, body=body, after=True))
        with pytest.raises(UnconfirmedSubmitError):
            await backend.submit(REQUEST, create_key="k")
