"""Defines a finding of `doctor`, and shows URLs in it without passwords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from storage.errors import StorageError


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A line of `doctor`'s table.

    `advice` is empty if there is nothing to do. `checked` is false if the check could not be made.
    """

    subject: str
    ok: bool
    found: str
    advice: str = ""
    checked: bool = True


def unreadable(subject: str, error: StorageError) -> Finding:
    """Return the finding of a check for which the database can't be read."""
    return Finding(
        subject=subject, ok=False, found=f"unreadable: {error}", advice="restore a backup"
    )


def without_password(url: str) -> str:
    """Return a URL without the user name and password that it may contain."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
