"""Keeps the roles and permissions that people have in servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.state.user import PERMISSIONS

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.guild import Guild
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.wire import Payload


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    role_ids: tuple[int, ...] = ()
    permissions: str = PERMISSIONS


class Members:
    """Ordinary members have no roles but @everyone's, and its permissions."""

    def __init__(self) -> None:
        self._standings: dict[tuple[int, int], _Standing] = {}

    def change(
        self, user: User, guild: Guild, *, role_ids: tuple[int, ...] = (), permissions: int = 0
    ) -> None:
        """Give a member these roles alone, and these permissions beside @everyone's."""
        self._standings[user.id, guild.id] = _Standing(
            role_ids=role_ids, permissions=str(int(PERMISSIONS) | permissions)
        )

    def payload(self, user: User, guild: Guild) -> Payload:
        """Return Discord's member object."""
        standing = self._standings.get((user.id, guild.id), _Standing())
        return user.member() | {
            "roles": [str(role) for role in standing.role_ids],
            "permissions": standing.permissions,
        }
