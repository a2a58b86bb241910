"""Fixtures for the tests of the Videos API adapter."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from bot.backends.openai_videos import OpenAIVideos
from bot.backends.transport.base import Timeouts
from tests.support.media.clips import make_clip
from tests.support.providers.openai_setup import KEY, NOW, over_the_sdk
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def api(clip: Path) -> AsyncIterator[VideosApi]:
    async with VideosApi(clip=clip, clock=lambda: NOW) as server:
        yield server


@pytest.fixture(params=[OpenAIVideos, over_the_sdk], ids=["light", "sdk"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., OpenAIVideos]]:
    async with contextlib.AsyncExitStack() as stack:

        def _connect(base_url: str, **settings: object) -> OpenAIVideos:
            settings.setdefault("api_key", KEY)
            settings.setdefault("timeouts", Timeouts(content_pauses=()))
            backend = request.param(base_url=base_url, clock=lambda: NOW, **settings)
            stack.push_async_callback(backend.close)
            return backend

        yield _connect


@pytest.fixture
def backend(api: VideosApi, connect: Callable[..., OpenAIVideos]) -> OpenAIVideos:
    return connect(api.base_url)
