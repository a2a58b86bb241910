"""Verifies webhooks that are signed according to the Standard Webhooks specification.

The package `standardwebhooks` (1.1.0) is not used. It reads the system clock, supports only one
secret, and raises ValueError if headers are malformed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING

from bot.errors import WebhookError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PREFIX = "whsec_"
_ID = "webhook-id"
_TIMESTAMP = "webhook-timestamp"
_SIGNATURE = "webhook-signature"
_HEADER_LIMITS = {_ID: 256, _TIMESTAMP: 12, _SIGNATURE: 4096}
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_MAX_SIGNATURES = 16


def signing_keys(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Convert webhook secrets, with or without the prefix `whsec_`, to keys.

    A secret without the prefix becomes two keys: its text, and its decoded base64. Some senders
    sign with the first, and others with the second.

    Raises ValueError if a secret is empty, because webhooks could then be forged.
    """
    return tuple(key for secret in secrets for key in _keys_of(secret.strip()))


def check(headers: Mapping[str, str], *, now: float, tolerance: float = 300.0) -> None:
    """Check that a webhook has a recent signature, without verifying the signature.

    Raises WebhookError if the signature is missing, malformed or too old.
    """
    check_time(_fields(headers)[_TIMESTAMP], now=now, tolerance=tolerance)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Iterable[bytes],
    now: float,
    sent: bytes | None = None,
    tolerance: float = 300.0,
) -> str:
    """Check that one of the keys recently signed a webhook, and return the webhook's id.

    `body`: the decompressed body. `sent`: the body as it was sent, if it was compressed. A
    signature of either body is accepted. `now` is in Unix seconds, and `tolerance` is in seconds.

    Raises WebhookError if the webhook is forged, too old or malformed.
    """
    fields = _fields(headers)
    timestamp = fields[_TIMESTAMP]
    check_time(timestamp, now=now, tolerance=tolerance)
    signatures, keys = _signatures(fields[_SIGNATURE]), tuple(keys)
    start = b"%b.%b." % (_bytes(fields[_ID]), timestamp.encode())
    # All signatures are compared, so that the duration does not reveal which one matches.
    matches = [
        _matches(signatures, start + each, keys) for each in (body, sent) if each is not None
    ]
    if not any(matches):
        raise WebhookError("no signature matches")
    return fields[_ID]


def check_time(timestamp: str, *, now: float, tolerance: float) -> None:
    """Check that a timestamp differs from `now` by at most `tolerance` seconds.

    Raises WebhookError if it doesn't.
    """
    if not _SECONDS.fullmatch(timestamp):
        raise WebhookError("the timestamp is not a number of seconds")
    if abs(now - int(timestamp)) > tolerance:
        raise WebhookError("the timestamp is too far from now")


def _keys_of(secret: str) -> tuple[bytes, ...]:
    bare = secret.removeprefix(_PREFIX)
    if not bare:
        raise ValueError("a webhook secret is empty")
    decoded = _decode(bare)
    if decoded is None:
        return (secret.encode(),)
    return (decoded,) if secret.startswith(_PREFIX) else (decoded, secret.encode())


def _decode(text: str) -> bytes | None:
    padded = text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _fields(headers: Mapping[str, str]) -> dict[str, str]:
    found = {name.lower(): value for name, value in headers.items()}
    for name, limit in _HEADER_LIMITS.items():
        if not found.get(name):
            raise WebhookError(f"{name} is missing")
        if len(found[name]) > limit:
            raise WebhookError(f"{name} is too long")
    return found


def _bytes(text: str) -> bytes:
    # Header bytes that are not UTF-8 arrive as surrogates, which a plain encode() refuses.
    return text.encode("utf-8", "surrogatepass")


def _signatures(header: str) -> list[bytes]:
    # compare_digest() accepts non-ASCII characters only in bytes.
    versioned = (part.partition(",") for part in header.split()[:_MAX_SIGNATURES])
    return [_bytes(signature) for version, _, signature in versioned if version == "v1"]


def _matches(signatures: list[bytes], signed: bytes, keys: Iterable[bytes]) -> bool:
    matched = False
    for key in keys:
        expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
        for signature in signatures:
            matched |= hmac.compare_digest(expected, signature)
    return matched
