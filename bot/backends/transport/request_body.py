"""Encodes the bodies of requests, as JSON or as a form.

aiohttp's MultipartWriter is not used. Unlike OpenAI's SDK, it gives each field a Content-Type.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = "multipart/form-data"
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def encode(body: Mapping[str, object], content_type: str | None) -> tuple[bytes, str]:
    """Return the bytes of a body and its Content-Type.

    For a form, the Content-Type contains the boundary.
    """
    if content_type != FORM:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode(), content_type or "application/json"
    boundary = secrets.token_hex(16)
    parts = [
        f"--{boundary}\r\nContent-Disposition: form-data; "
        f'name="{name.translate(_ESCAPES)}"\r\n\r\n{value}\r\n'
        for name, value in body.items()
    ]
    return "".join([*parts, f"--{boundary}--\r\n"]).encode(), f"{FORM}; boundary={boundary}"
