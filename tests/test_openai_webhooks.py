from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.backends.base import (
    Webhook,
)
from bot.errors import WebhookError
from tests.openai_setup import (
    NOW,
    SECRET,
    submit,
)
from tests.videos_api import VideosApi, sign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.backends.openai_videos import OpenAIVideos

pytest_plugins = ["tests.openai_fixtures"]


def event(body: object, *, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return sign(secret, "wh_1", int(NOW), raw), raw


@pytest.fixture
def listener(connect: Callable[..., OpenAIVideos]) -> OpenAIVideos:
    return connect("http://127.0.0.1:1/v1", webhook_secrets=("whsec_b2xk", SECRET))


@pytest.mark.parametrize("kind", ["video.completed", "video.failed", "video.expired"])
def test_a_webhook_names_the_video(listener: OpenAIVideos, kind: str) -> None:
    headers, body = event({"id": "evt_1", "type": kind, "data": {"id": "video_1"}})
    assert listener.capabilities.webhooks
    assert listener.parse_webhook(headers, body, now=NOW) == Webhook(id="wh_1", ref="video_1")


def test_a_webhook_about_anything_else_is_none(listener: OpenAIVideos) -> None:
    headers, body = event({"type": "response.completed", "data": {"id": "resp_1"}})
    assert listener.parse_webhook(headers, body, now=NOW) is None


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"\xff\xfe",
        b"",
        b"[" * 60_000,
        b'{"type": ' + b"9" * 5000 + b"}",
        [],
        {},
        {"type": 7},
        {"type": "video.completed"},
        {"type": "video.completed", "data": []},
        {"type": "video.completed", "data": {"id": ".."}},
        {"type": "video.completed", "data": {"id": "x" * 1000}},
        {"type": "video.completed", "data": {"id": "a\nb"}},
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(listener: OpenAIVideos, body: object) -> None:
    headers, raw = event(body)
    with pytest.raises(WebhookError):
        listener.parse_webhook(headers, raw, now=NOW)


def test_a_forged_or_stale_webhook_is_refused(listener: OpenAIVideos) -> None:
    headers, body = event({"type": "video.completed", "data": {"id": "video_1"}})
    with pytest.raises(WebhookError):
        listener.parse_webhook(headers, body.replace(b"video_1", b"video_2"), now=NOW)
    with pytest.raises(WebhookError):
        listener.parse_webhook(headers, body, now=NOW + 301)


def test_without_secrets_every_webhook_is_refused(connect: Callable[..., OpenAIVideos]) -> None:
    backend = connect("http://127.0.0.1:1/v1")
    headers, body = event({"type": "video.completed", "data": {"id": "video_1"}})
    assert not backend.capabilities.webhooks
    with pytest.raises(WebhookError):
        backend.parse_webhook(headers, body, now=NOW)


async def test_the_server_sends_what_the_client_understands(
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
