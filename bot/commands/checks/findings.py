"""Defines the findings that `doctor` prints, and removes passwords from URLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from storage.errors import StorageError


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A line in the table that `doctor` prints.

    `advice`: what the operator should do, or "" if there is nothing to do.
    `checked`: False if the check could not be made.
    """

    subject: str
    ok: bool
    found: str
    advice: str = ""
    checked: bool = True


def unreadable(subject: str, error: StorageError) -> Finding:
    """Return the finding of a check that could not read the database."""
    return Finding(
        subject=subject,
        ok=False,
        found=f"unreadable: {error}",
        advice="see the line about the database, or restore a backup",
    )


def without_password(url: str) -> str:
    """Return a URL without its user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
