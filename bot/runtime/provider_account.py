"""Hashes the API key and remote ids with a secret key, so that the database stores only hashes."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from bot.links import derive_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings.fields import Settings


def account_of(settings: Settings, secret: bytes) -> str:
    """Return a keyed hash that identifies the chosen provider's address and API key."""
    match settings.video_backend:
        case "storyboard":
            # the storyboard listens on another port after each start, so its address is ignored
            parts = ("", "")
        case "openai":
            parts = (settings.openai_base_url, settings.openai_api_key.get_secret_value())
        case "openrouter":
            parts = (settings.openrouter_base_url, settings.openrouter_api_key.get_secret_value())
        case "gemini":
            parts = (settings.gemini_base_url, settings.gemini_api_key.get_secret_value())
    return _hash(derive_key(secret, "provider accounts"), "\0".join(parts))


def ref_hasher(secret: bytes) -> Callable[[str], str]:
    """Return the function that hashes the ids of remote jobs.

    The hashes are kept after the jobs' own rows are deleted.
    """
    key = derive_key(secret, "remote ids")
    return lambda ref: _hash(key, ref)


def _hash(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()
