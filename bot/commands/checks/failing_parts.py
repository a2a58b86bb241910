"""Checks whether a component of the running bot keeps failing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding, unreadable
from storage.errors import StorageError
from storage.snapshot import read_failing_parts

if TYPE_CHECKING:
    from storage.database import Source


def examine_failing_parts(source: Source) -> Finding:
    """Report the components that have failed several times in a row and not recovered.

    Reads the database, and so blocks the event loop.
    """
    subject = "components"
    try:
        failing = read_failing_parts(source)
    except StorageError as error:
        return unreadable(subject, error)
    if not failing:
        return Finding(subject=subject, ok=True, found="no repeated failures")
    return Finding(
        subject=subject,
        ok=False,
        found="; ".join(
            f"{part.name} failed {part.failures} times ({part.error}), last "
            f"{datetime.fromtimestamp(part.last_at, UTC):%Y-%m-%d %H:%M} UTC"
            for part in failing
        ),
        advice="look for part.failed in the log; if neither an update nor a restart helps, report "
        "the failure with those lines",
    )
