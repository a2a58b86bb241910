"""OpenRouter's callbacks: `X-OpenRouter-Signature: t=<unix>,v1=<hex>` over "<unix>,<body>"."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from bot.backends.base import Webhook
from bot.backends.responses import remote_job
from bot.backends.standard_webhooks import check_time
from bot.errors import WebhookError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SIGNATURE = "x-openrouter-signature"
_MAX_HEADER = 4096
_MAX_SIGNATURES = 16
_KIND = "video.generation."


def signing_keys(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Turn secrets into keys, as they stand; ValueError: an empty one, with which all can sign."""
    keys = tuple(secret.strip().encode() for secret in secrets)
    if not all(keys):
        raise ValueError("a webhook secret is empty")
    return keys


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Iterable[bytes],
    now: float,
    tolerance: float = 300.0,
) -> None:
    """Check that one of the keys signed this body lately; WebhookError: forged or stale.

    `now` and `tolerance` are in seconds.
    """
    found = {name.lower(): value for name, value in headers.items()}
    header = found.get(_SIGNATURE, "")
    if not header or len(header) > _MAX_HEADER:
        raise WebhookError(f"{_SIGNATURE} is missing, or too long")
    fields = [part.strip().partition("=") for part in header.split(",")]
    timestamp = next((value for name, _, value in fields if name == "t"), "")
    check_time(timestamp, now=now, tolerance=tolerance)
    sent = [value for name, _, value in fields if name == "v1"][:_MAX_SIGNATURES]
    if not _matches(sent, b"%b,%b" % (timestamp.encode(), body), keys):
        raise WebhookError("no signature matches")


def read(body: bytes) -> Webhook | None:
    """Read which job a verified body is about; None: about none. WebhookError: unreadable.

    The sender repeats under `X-OpenRouter-Idempotency-Key`, "<job>-<status>"; that header is not
    signed, so the same is put together from what is.
    """
    event = remote_job.event_in(body)
    if event is None:
        raise WebhookError("the signed body is no event", status=400)
    kind, ref = event
    if not kind.startswith(_KIND):
        return None
    if ref is None:
        raise WebhookError("the event names no video", status=400)
    return Webhook(id=f"{ref}-{kind.removeprefix(_KIND)}", ref=ref)


def _matches(sent: list[str], signed: bytes, keys: Iterable[bytes]) -> bool:
    matched = False
    for key in keys:
        expected = hmac.digest(key, signed, "sha256").hex().encode()
        for signature in sent:
            # A constant-time comparison takes bytes: text that is not ASCII makes it raise.
            given = signature.encode("utf-8", "surrogatepass")
            matched |= hmac.compare_digest(expected, given)
    return matched
