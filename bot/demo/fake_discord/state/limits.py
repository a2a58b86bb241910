"""Defines Discord's limits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class DiscordLimits:
    """Discord's limits in bytes and seconds, which tests can change.

    `upload_bytes`: the enforced limit on a file.
    `announced_bytes`: the limit that interactions announce.
    """

    upload_bytes: int = 20 * 1024 * 1024
    announced_bytes: int = 20 * 1024 * 1024
    answer_within: float = 3.0
    token_life: float = 900.0
    attachment_life: float = 86_400.0
