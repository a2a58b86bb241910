from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.backends.base import (
    Webhook,
)
from tests.support.providers.openai_setup import NOW, SECRET, submit
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.backends.openai_videos import OpenAIVideos

pytest_plugins = ["tests.support.providers.openai_fixtures"]


@pytest.fixture
def listener(connect: Callable[..., OpenAIVideos]) -> OpenAIVideos:
    return connect("http://127.0.0.1:1/v1", webhook_secrets=("whsec_b2xk", SECRET))


async def test_the_adapter_verifies_the_webhooks_of_the_stand_in(
    clip: Path, listener: OpenAIVideos, connect: Callable[..., OpenAIVideos]
) -> None:
    heard: list[Webhook | None] = []

    async def hear(request: web.Request) -> web.Response:
        body = await request.read()
        heard.append(listener.parse_webhook(request.headers, body, now=NOW))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    async with VideosApi(
        clip=clip, webhook_url=url, webhook_secret=SECRET, clock=lambda: NOW
    ) as api:
        ref = await submit(connect(api.base_url))
        api.finish(ref)
        assert await api.send_webhook(ref, webhook_id="wh_7") == 204
    await runner.cleanup()
    assert heard == [Webhook(id="wh_7", ref=ref)]
