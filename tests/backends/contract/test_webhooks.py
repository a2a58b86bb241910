"""Webhooks."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from bot.errors import WebhookError
from tests.support.providers.openai_setup import NOW

if TYPE_CHECKING:
    from tests.support.providers.contract_world import World


async def test_a_valid_webhook_names_its_job(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    assert backend.capabilities.webhooks
    for ending in ("completed", "failed", "expired"):
        headers, body = world.entry.webhook("video_1", ending=ending)
        webhook = backend.parse_webhook(headers, body, now=NOW)
        assert webhook, ending
        assert webhook.ref == "video_1", ending


async def test_a_forged_webhook_is_refused(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    headers, body = world.entry.webhook("video_1")
    stranger, _ = world.entry.webhook("video_1", secret=world.entry.secrets[1])
    altered = body.replace(b"video_1", b"video_2")
    for sent, raw in ((headers, altered), (stranger, body), ({}, body), (headers, b"")):
        with pytest.raises(WebhookError) as caught:
            backend.parse_webhook(sent, raw, now=NOW)
        assert caught.value.status == 401


async def test_an_odd_header_of_a_webhook_causes_no_other_error(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    right, body = world.entry.webhook("video_1")
    odd = ("", "x" * 100_000, "\udcff", "ключ", "NaN", "1e9", "-1", "t=,v1=", "v1,", "t=1,v1=ÿ")
    for name in (name for name in right if "content" not in name.lower()):
        for value in odd:
            # The webhook may be valid or refused, but no other error may be raised.
            with contextlib.suppress(WebhookError):
                backend.parse_webhook(right | {name: value}, body, now=NOW)


async def test_a_stale_webhook_is_refused(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    headers, body = world.entry.webhook("video_1")
    for drift in (-300, 300):
        assert backend.parse_webhook(headers, body, now=NOW + drift)
    for drift in (-301, 301, 10**9):
        with pytest.raises(WebhookError, match="too far"):
            backend.parse_webhook(headers, body, now=NOW + drift)


async def test_a_replayed_webhook_has_the_same_id(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    first = backend.parse_webhook(*world.entry.webhook("video_1"), now=NOW)
    again = backend.parse_webhook(*world.entry.webhook("video_1", at=NOW + 60), now=NOW + 60)
    assert first == again


async def test_both_secrets_are_accepted_while_they_are_rotated(world: World) -> None:
    new, old = world.entry.secrets
    backend = world.connect(webhook_secrets=(new, old))
    for secret in (new, old):
        assert backend.parse_webhook(*world.entry.webhook("v1", secret=secret), now=NOW)
    backend = world.connect(webhook_secrets=(new,))
    with pytest.raises(WebhookError):
        backend.parse_webhook(*world.entry.webhook("v1", secret=old), now=NOW)


async def test_without_a_secret_every_webhook_is_refused(world: World) -> None:
    assert not world.backend.capabilities.webhooks
    with pytest.raises(WebhookError):
        world.backend.parse_webhook(*world.entry.webhook("video_1"), now=NOW)


async def test_a_signed_body_that_is_not_an_event_is_refused(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    kind = json.dumps(world.entry.event("v1", "completed")["type"]).encode()
    bodies = (
        b"no JSON",
        b"\xff\xfe",
        b"",
        b"[" * 60_000,
        b"[]",
        b"{}",
        b'{"type": 7}',
        b'{"type": ' + b"9" * 5000 + b"}",
        b'{"type": %b}' % kind,
        b'{"type": %b, "data": []}' % kind,
        b'{"type": %b, "data": {"id": ".."}}' % kind,
        b'{"type": %b, "data": {"id": "a\\nb"}}' % kind,
        b'{"type": %b, "data": {"id": "%b"}}' % (kind, b"x" * 1000),
    )
    for body in bodies:
        headers = world.entry.signed(world.entry.secrets[0], int(NOW), body)
        with pytest.raises(WebhookError) as caught:
            backend.parse_webhook(headers, body, now=NOW)
        assert caught.value.status == 400, body[:40]


async def test_a_webhook_about_anything_else_is_ignored(world: World) -> None:
    backend = world.connect(webhook_secrets=world.entry.secrets[:1])
    body = b'{"type": "response.completed", "data": {"id": "resp_1"}}'
    headers = world.entry.signed(world.entry.secrets[0], int(NOW), body)
    assert backend.parse_webhook(headers, body, now=NOW) is None
