"""The processes that a test has started."""

from __future__ import annotations

import contextlib
from pathlib import Path

_FORK_SERVER = b"tests.support.fork_server"


def children() -> dict[int, str]:
    """Return the names of this process's children, by process id, but not the fork server."""
    found: dict[int, str] = {}
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread or child ended meanwhile
            for pid in (task / "children").read_text().split():
                process = Path("/proc", pid)
                if _FORK_SERVER not in (process / "cmdline").read_bytes():
                    found[int(pid)] = (process / "comm").read_text().strip()
    return found
