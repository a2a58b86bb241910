"""Raises the limit on open files and connections, which macOS sets to 256."""

from __future__ import annotations

import resource
from contextlib import suppress

WANTED = 8192


def raise_limit() -> int:
    """Raise this process's limit as far as needed and allowed, and return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may reject a value even if it is below the hard limit.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return limit()


def limit() -> int:
    """Return the number of files and connections that this process can have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return WANTED if soft == resource.RLIM_INFINITY else soft
