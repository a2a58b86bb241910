"""Checks how many files and connections the bot may have open."""

from __future__ import annotations

from bot.commands.checks.findings import Finding
from bot.runtime.open_files import raise_limit

# The bot needs to open this many files and connections: half of them for the HTTP server, and the
# other half for everything else.
_ENOUGH = 1024


def examine_open_files() -> Finding:
    """Raise the limit on open files, as the bot does at its start, and report the new limit."""
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
