"""Stores the roles and permissions of servers' members."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.guild import Guild
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.wire import Payload


class Members:
    """The roles and permissions of servers' members.

    An ordinary member has only those of @everyone.
    """

    def __init__(self) -> None:
        self._standings: dict[tuple[int, int], tuple[tuple[int, ...], int]] = {}

    def change(
        self, user: User, guild: Guild, *, role_ids: tuple[int, ...] = (), permissions: int = 0
    ) -> None:
        """Set a member's roles, and the permissions that are added to those of @everyone."""
        self._standings[user.id, guild.id] = (role_ids, permissions)

    def payload(self, user: User, guild: Guild) -> Payload:
        """Return a member as Discord's member object."""
        role_ids, permissions = self._standings.get((user.id, guild.id), ((), 0))
        member = user.member()
        return member | {
            "roles": [str(role) for role in role_ids],
            "permissions": str(int(member["permissions"]) | permissions),
        }
