"""Comparison of our webhook signatures with those of the package `standardwebhooks`."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bot.backends.standard_webhooks import signing_keys, verify
from bot.errors import WebhookError
from bot.storyboard.webhook_sender import sign

NEW = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, made up").decode()
OLD = "whsec_" + base64.b64encode(b"the key before that one, also made").decode()
BODY = '{"type": "video.completed", "data": {"id": "vidéo_1"}}'
RAW = BODY.encode()


def theirs(secret: str, *, at: float) -> dict[str, str]:
    moment = datetime.fromtimestamp(at, UTC)
    return {
        "Webhook-Id": "wh_1",
        "Webhook-Timestamp": str(int(at)),
        "Webhook-Signature": Webhook(secret).sign("wh_1", moment, BODY),
    }


def ours(secret: str, *, at: float) -> dict[str, str]:
    return {
        "webhook-id": "wh_1",
        "webhook-timestamp": str(int(at)),
        "webhook-signature": sign(secret, event_id="wh_1", timestamp=int(at), body=RAW),
    }


@pytest.mark.parametrize("secret", [NEW, NEW.rstrip("="), NEW.removeprefix("whsec_")])
def test_we_verify_what_the_package_signs(secret: str) -> None:
    now = time.time()
    keys = signing_keys([secret])
    assert verify(theirs(secret, at=now), RAW, keys=keys, now=now) == "wh_1"
    for headers, body in (
        (theirs(OLD, at=now), RAW),
        (theirs(secret, at=now - 302), RAW),
        (theirs(secret, at=now + 302), RAW),
        (theirs(secret, at=now), RAW + b" "),
    ):
        with pytest.raises(WebhookError):
            verify(headers, body, keys=keys, now=now)


def test_the_package_verifies_what_we_sign() -> None:
    now = time.time()
    assert Webhook(NEW).verify(RAW, ours(NEW, at=now)) == json.loads(BODY)
    for headers, body in (
        (ours(OLD, at=now), RAW),
        (ours(NEW, at=now - 302), RAW),
        (ours(NEW, at=now + 302), RAW),
        (ours(NEW, at=now), RAW + b" "),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(NEW).verify(body, headers)


def test_both_accept_either_secret_while_it_is_rotated() -> None:
    now = time.time()
    both = f"{theirs(OLD, at=now)['Webhook-Signature']} {ours(NEW, at=now)['webhook-signature']}"
    headers = ours(NEW, at=now) | {"webhook-signature": both}
    for secret in (NEW, OLD):
        assert verify(headers, RAW, keys=signing_keys([secret]), now=now) == "wh_1"
        assert Webhook(secret).verify(RAW, headers) == json.loads(BODY)
    for secret in (NEW, OLD):
        keys = signing_keys([NEW, OLD])
        assert verify(theirs(secret, at=now), RAW, keys=keys, now=now) == "wh_1"
