"""Verifies OpenRouter's callbacks.

The header `X-OpenRouter-Signature: t=<unix>,v1=<hex>` signs the text "<unix>,<body>".
"""

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
    """Convert webhook secrets to keys.

    Raises ValueError if a secret is empty, because callbacks could then be forged.
    """
    keys = tuple(secret.strip().encode() for secret in secrets)
    if not all(keys):
        raise ValueError("a webhook secret is empty")
    return keys


def check(headers: Mapping[str, str], *, now: float, tolerance: float = 300.0) -> None:
    """Check that a callback has a recent signature, without verifying the signature.

    Raises WebhookError if the signature is missing, malformed or too old.
    """
    timestamp, _ = _signed_time(headers)
    check_time(timestamp, now=now, tolerance=tolerance)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Iterable[bytes],
    now: float,
    sent: bytes | None = None,
    tolerance: float = 300.0,
) -> None:
    """Check that one of the keys recently signed the body, or the compressed body `sent`.

    `now` is in Unix seconds, and `tolerance` is in seconds. Raises WebhookError if the callback is
    forged or too old.
    """
    timestamp, signatures = _signed_time(headers)
    check_time(timestamp, now=now, tolerance=tolerance)
    keys, start = tuple(keys), b"%b," % timestamp.encode()
    # All signatures are compared, so that the duration does not reveal which one matches.
    matches = [
        _matches(signatures, start + each, keys) for each in (body, sent) if each is not None
    ]
    if not any(matches):
        raise WebhookError("no signature matches")


def _signed_time(headers: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the timestamp and the signatures of a callback.

    Raises WebhookError if the timestamp or the signatures are missing.
    """
    found = {name.lower(): value for name, value in headers.items()}
    header = found.get(_SIGNATURE, "")
    if not header or len(header) > _MAX_HEADER:
        raise WebhookError(f"{_SIGNATURE} is missing or too long")
    fields = [part.strip().partition("=") for part in header.split(",")]
    timestamp = next((value for name, _, value in fields if name == "t"), "")
    return timestamp, [value for name, _, value in fields if name == "v1"][:_MAX_SIGNATURES]


def read(body: bytes) -> Webhook | None:
    """Return the webhook in a verified body, or None if it isn't about a video.

    A repeated callback has the same `X-OpenRouter-Idempotency-Key`, which is "<job>-<status>". That
    header is not signed, so the same id is built from the signed body.

    Raises WebhookError if the body is malformed.
    """
    event = remote_job.event_in(body)
    if event is None:
        raise WebhookError("the signed body is not an event", status=400)
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
            # compare_digest() accepts non-ASCII characters only in bytes.
            given = signature.encode("utf-8", "surrogatepass")
            matched |= hmac.compare_digest(expected, given)
    return matched
