"""Describes access settings, and changes to them, as text for the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.job_lines import printable
from storage.access.pause import Pause
from storage.access.settings import Setting

if TYPE_CHECKING:
    from storage.access.audit import AuditEntry


def setting_line(entry: AuditEntry, *, now: float) -> str:
    """Return the line about an access setting that is stored."""
    ended = ""
    if entry.name == Setting.PAUSE and entry.value is not None:
        ended = "" if Pause.parse(entry.value).lasts(now) else " (ended)"
    return f"{_named(entry)}{ended}"


def audit_line(entry: AuditEntry) -> str:
    """Return the line about a change: the time, the person who made it, and the new value."""
    actor = "command line" if entry.actor is None else str(entry.actor)
    return f"{_time(entry.at)}  {actor:20}  {_named(entry)}"


def _named(entry: AuditEntry) -> str:
    target = f" {entry.target}" if entry.target else ""
    return f"{entry.name}{target}: {_value(entry)}"


def _value(entry: AuditEntry) -> str:
    if entry.value is None:
        return "removed"
    if entry.name != Setting.PAUSE:
        return printable(entry.value)
    pause = Pause.parse(entry.value)
    until = f" until {_time(pause.until)}" if pause.until is not None else ""
    return f"{'drain' if pause.is_drain else 'orders refused'}{until}: {printable(pause.words)}"


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
