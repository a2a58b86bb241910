"""Raises the limit on open files and connections. The default on macOS is 256."""

from __future__ import annotations

import resource
from contextlib import suppress

WANTED = 8192


def raise_limit() -> int:
    """Raise this process's limit on open files to 8192 if possible, and return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may refuse a limit even if it is below the hard limit.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return limit()


def limit() -> int:
    """Return the number of files and connections that this process may have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return WANTED if soft == resource.RLIM_INFINITY else soft
