"""The subcommands of `/clapper-owner`, each with options."""

from __future__ import annotations

from typing import Any

WORDS = "Back after the upgrade."


def owner_commands(
    *, person: object, server: str, channel_id: int, log_channel: object
) -> dict[str, dict[str, Any]]:
    """Return every subcommand with options that it accepts."""
    return {
        "settings": {},
        "history": {},
        "spending": {},
        "channel": {"channel": f"<#{channel_id}>", "rule": "allow"},
        "role": {"role": server, "rule": "deny"},
        "block": {"person": person},
        "unblock": {"person": person},
        "block-server": {"server": server},
        "unblock-server": {"server": server},
        "limit": {"videos": 3, "role": server},
        "age": {"restricted": True},
        "cards": {"language": "de"},
        "dms": {"when": "never"},
        "pause": {"words": WORDS, "until": "2h"},
        "drain": {"words": WORDS},
        "resume": {},
        "grant": {"person": person, "amount": "2.50"},
        "remove-person": {"person": person},
        "log-channel": {"channel": log_channel},
    }
