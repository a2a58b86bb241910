"""Checks that the processes that share a PostgreSQL database work together."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding, unreadable
from storage.errors import StorageError
from storage.workers.leases import LEASE_SECONDS
from storage.workers.table import ALIVE, SeenProcess, seen_processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.database import Source

_SUBJECT = "processes"


def examine_processes(source: Source, *, clock: Callable[[], float] = time.time) -> Finding:
    """Report the number of processes of each role that use the database.

    Reads the database, and so blocks the event loop.
    """
    if not isinstance(source, str):
        return Finding(subject=_SUBJECT, ok=True, found="a single process does everything")
    # Only PostgreSQL needs asyncpg.
    from storage.postgres.reading import read_rows  # noqa: PLC0415

    now = clock()
    try:
        rows = read_rows(source, ALIVE, {"since": now - LEASE_SECONDS})
    except StorageError as error:
        return unreadable(_SUBJECT, error)
    found = seen_processes(rows, now=now)
    advice = _advice(found)
    return Finding(subject=_SUBJECT, ok=not advice, found=_counts(found), advice=advice)


def _counts(found: list[SeenProcess]) -> str:
    kinds = Counter(process.kind for process in found)
    listed = ", ".join(
        f"{count} {kind}s" if kind == "worker" and count > 1 else f"{count} {kind}"
        for kind, count in sorted(kinds.items())
    )
    if not listed:
        return "none was seen lately"
    return f"{listed}; longest silence {max(each.silence for each in found):.0f} s"


def _advice(found: list[SeenProcess]) -> str:
    """Return advice if a role is missing or a worker's settings differ, or "" otherwise."""
    kinds = {process.kind for process in found}
    if not found or "all" in kinds:
        return ""
    if "desk" not in kinds:
        return "no desk speaks to Discord: start one with run --role desk"
    if "worker" not in kinds:
        return "no worker makes videos: start one with run --role worker"
    [desk] = [process for process in found if process.kind == "desk"]
    others = [process for process in found if process.kind == "worker"]
    differing = sorted({process.host for process in others if process.digest != desk.digest})
    if differing:
        return (
            f"workers on {', '.join(differing)} claim nothing, because a setting differs from the "
            "desk's: their log names it"
        )
    return ""
