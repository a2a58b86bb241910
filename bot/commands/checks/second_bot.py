"""Checks whether another process uses the same bot token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding, unreadable
from storage.errors import StorageError
from storage.snapshot import read_second_bot

if TYPE_CHECKING:
    from storage.database import Source

_DAY = 24 * 60 * 60


def examine_second_bot(source: Source, *, now: float) -> Finding:
    """Report whether a second bot with the same token was noticed in the last 24 hours."""
    subject = "other instances"
    try:
        found = read_second_bot(source)
    except StorageError as error:
        return unreadable(subject, error)
    if found is None or found.last_at < now - _DAY:
        return Finding(subject=subject, ok=True, found="none noticed in the last 24 hours")
    last = datetime.fromtimestamp(found.last_at, UTC)
    return Finding(
        subject=subject,
        ok=False,
        found=f"another process has answered {found.times} commands or clicks, last "
        f"{last:%Y-%m-%d %H:%M} UTC",
        advice="stop the other bot with this DISCORD_TOKEN, or reset the token and set the new one "
        "here",
    )
