"""Checks the number of files and connections that the bot can have open."""

from __future__ import annotations

from bot.commands.checks.findings import Finding
from bot.runtime.open_files import raise_limit

# The server's connections, and the same number for everything else.
_ENOUGH = 1024


def examine_open_files() -> Finding:
    """Raise the limit as the bot does, and report the result."""
    limit = raise_limit()
    return Finding(
        subject="open files",
        ok=limit >= _ENOUGH,
        found=f"limit: {limit:,}",
        advice=f"allow {_ENOUGH} or more: LimitNOFILE= in a systemd unit, --ulimit nofile= in "
        "docker, or ulimit -Hn in a shell"
        if limit < _ENOUGH
        else "",
    )
