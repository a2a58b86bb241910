"""Defines the limits that Discord enforces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class DiscordLimits:
    """The limits that Discord enforces, in bytes and seconds. Tests can change them.

    `upload_bytes`: the actual limit on the size of a file. `announced_bytes`: the limit that
    interactions announce.
    """

    upload_bytes: int = 20 * 1024 * 1024
    announced_bytes: int = 20 * 1024 * 1024
    answer_within: float = 3.0
    token_life: float = 900.0
    attachment_life: float = 86_400.0
