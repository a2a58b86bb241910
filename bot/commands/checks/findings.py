"""Defines a finding of `doctor`, and shows URLs in it without passwords."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A line of `doctor`'s table; `advice` is empty if there is nothing to do."""

    subject: str
    ok: bool
    found: str
    advice: str = ""


def without_password(url: str) -> str:
    """Return a URL without the user name and password that it may contain."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
