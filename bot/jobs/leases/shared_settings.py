"""Compares the settings of two processes by hashes, so that the database has no secrets."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET_KEY = "SECRET_KEY"  # noqa: S105 - the name of a setting
NO_DESK = "(no desk has run yet)"
_HASH_CHARACTERS = 16


def digest_of(settings: Mapping[str, str], *, key: bytes) -> str:
    """Return the hash of each setting, as JSON. `key`: derived from SECRET_KEY."""
    values = {SECRET_KEY: "", **settings}
    return json.dumps({name: _hash(key, name, value) for name, value in values.items()})


def differing(own: str, reference: str | None) -> tuple[str, ...]:
    """Return the names of the settings in which two digests differ.

    `reference`: None if there is no other process to compare with.
    """
    if reference is None:
        return (NO_DESK,)
    mine, theirs = json.loads(own), json.loads(reference)
    # With another secret, all hashes differ.
    if mine[SECRET_KEY] != theirs[SECRET_KEY]:
        return (SECRET_KEY,)
    return tuple(sorted(name for name in mine | theirs if mine.get(name) != theirs.get(name)))


def _hash(key: bytes, name: str, value: str) -> str:
    return hmac.digest(key, f"{name}\0{value}".encode(), hashlib.sha256).hex()[:_HASH_CHARACTERS]
