"""Checks whether a text looks like a bot token."""

from __future__ import annotations

import base64
import binascii

COPY_AGAIN = "copy it again: a token has three parts, separated by dots, and no 'Bot ' in front"
_PARTS = 3


def looks_like_a_token(token: str) -> bool:
    """Tell whether a text looks like a bot token.

    Discord may change the format of its tokens.
    """
    parts = token.split(".")
    if len(parts) != _PARTS or not all(parts):
        return False
    try:
        return base64.urlsafe_b64decode(parts[0] + "==").decode("ascii").isdigit()
    except (binascii.Error, ValueError):
        return False
