"""Checks whether the bot can post to the log channel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding, unreadable
from storage.access.settings import Setting
from storage.errors import StorageError
from storage.snapshot import list_access_settings, read_closed_log_channel

if TYPE_CHECKING:
    from storage.database import Source


def examine_log_channel(source: Source) -> Finding:
    """Report the log channel, and whether Discord refuses the bot's messages there.

    Blocks the thread.
    """
    subject = "log channel"
    try:
        rows = list_access_settings(source)
        closed = read_closed_log_channel(source)
    except StorageError as error:
        return unreadable(subject, error)
    channel = next((row.value for row in rows if row.name == Setting.LOG_CHANNEL), None)
    if channel is None:
        return Finding(subject=subject, ok=True, found="none chosen")
    if closed is None or str(closed.channel_id) != channel:
        return Finding(subject=subject, ok=True, found=channel)
    since = datetime.fromtimestamp(closed.since, UTC)
    return Finding(
        subject=subject,
        ok=False,
        found=f"Discord refuses messages in {channel} since {since:%Y-%m-%d %H:%M} UTC "
        f"({closed.reason})",
        advice="give the bot View Channel, Send Messages and Attach Files there, or choose "
        "another channel with /clapper-owner log-channel",
    )
