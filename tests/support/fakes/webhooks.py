"""Webhooks, signed as a provider signs them."""

from __future__ import annotations

import base64
import hmac

from bot.backends import standard_webhooks

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()


def signed(
    body: bytes, *, now: float, webhook_id: str = "wh_1", secret: str = WEBHOOK_SECRET
) -> dict[str, str]:
    """Sign a webhook's body as a provider does, and return the headers."""
    timestamp = str(int(now))
    (key, *_) = standard_webhooks.signing_keys([secret])
    message = b".".join((webhook_id.encode(), timestamp.encode(), body))
    mac = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{mac}",
    }
