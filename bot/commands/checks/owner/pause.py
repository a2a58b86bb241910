"""Checks whether the operator has paused new orders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding, unreadable
from storage.access.pause import Pause
from storage.access.settings import Setting
from storage.errors import StorageError
from storage.snapshot import list_access_settings

if TYPE_CHECKING:
    from storage.database import Source


def examine_pause(source: Source, *, now: float) -> Finding:
    """Report whether the operator has paused new orders.

    Reads the database, and so blocks the event loop.
    """
    subject = "orders"
    try:
        rows = list_access_settings(source)
    except StorageError as error:
        return unreadable(subject, error)
    values = [row.value for row in rows if row.name == Setting.PAUSE and row.value is not None]
    pause = next((each for each in map(Pause.parse, values) if each.lasts(now)), None)
    if pause is None:
        return Finding(subject=subject, ok=True, found="not paused")
    until = ""
    if pause.until is not None:
        until = f" until {datetime.fromtimestamp(pause.until, UTC):%Y-%m-%d %H:%M} UTC"
    queued = ", and queued jobs wait" if pause.is_drain else ""
    return Finding(
        subject=subject,
        ok=True,
        found=f"refused{until}, as you chose{queued}: {pause.words}",
        advice="`python -m bot owner resume` accepts them again",
    )
