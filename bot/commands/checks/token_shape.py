"""What a bot token looks like."""

from __future__ import annotations

import base64
import binascii

COPY_ANEW = "copy it anew: three parts with dots between them, without 'Bot ' before it"
_PARTS = 3


def looks_like_a_token(token: str) -> bool:
    """Tell whether a text has the shape of a bot token, which Discord may change one day."""
    parts = token.split(".")
    if len(parts) != _PARTS or not all(parts):
        return False
    try:
        return base64.urlsafe_b64decode(parts[0] + "==").decode("ascii").isdigit()
    except (binascii.Error, ValueError):
        return False
