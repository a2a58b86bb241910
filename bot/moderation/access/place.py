"""The place in Discord from which an order comes, and the places that the operator allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OrderFrom(StrEnum):
    """The places from which orders may come. Each value includes the places of the previous ones.

    `SERVERS`: servers in which the bot is installed. `DMS`: direct messages with the bot.
    `EVERYWHERE`: group chats, and other servers, if the person has installed the bot for
    themselves.
    """

    SERVERS = "servers"
    DMS = "dms"
    EVERYWHERE = "everywhere"

    @property
    def takes_dms(self) -> bool:
        """True if orders may come from direct messages with the bot."""
        return self is not OrderFrom.SERVERS


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The places from which the operator accepts orders.

    `allowed_servers`: the Discord IDs of the allowed servers. Empty if every server is allowed.
    """

    order_from: OrderFrom = OrderFrom.SERVERS
    allowed_servers: frozenset[int] = frozenset()

    def allows_server(self, server_id: int) -> bool:
        """Return whether the operator allows orders from a server."""
        return not self.allowed_servers or server_id in self.allowed_servers

    def takes_outside(self, place: OrderPlace) -> bool:
        """Return whether the operator allows orders from a place outside all servers.

        A server in which the bot is not installed counts as outside.
        """
        if self.order_from is OrderFrom.EVERYWHERE:
            return True
        return place.is_dm and self.order_from.takes_dms

    @property
    def needs_membership(self) -> bool:
        """True if orders from outside all servers are allowed only to members of a server."""
        return self.order_from is OrderFrom.DMS or (
            self.order_from is OrderFrom.EVERYWHERE and bool(self.allowed_servers)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """A server that a person is a member of, and the person's roles there."""

    server_id: int
    role_ids: frozenset[int] = frozenset()
    is_booster: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPlace:
    """The place in Discord from which an order comes, and the requester's roles there."""

    #: Discord's id of the requester.
    user_id: int
    #: The server's Discord id, or None in a DM or a group chat.
    server_id: int | None = None
    #: True if the bot is installed in the server, and not only for the requester.
    is_installed: bool = False
    #: True in a group chat or a DM that the bot is not part of.
    is_group: bool = False
    #: The Discord ids of the thread, the channel and the category, as far as these exist.
    channel_ids: tuple[int, ...] = ()
    #: True if Discord shows the channel only to adults.
    is_age_restricted: bool = False
    #: The requester's roles in the server.
    role_ids: frozenset[int] = frozenset()
    #: For an order from outside all servers: the allowed servers that the requester is in.
    memberships: tuple[Membership, ...] = ()

    @property
    def is_dm(self) -> bool:
        """True in a direct message with the bot."""
        return self.server_id is None and not self.is_group

    @property
    def membership(self) -> Membership | None:
        """The requester's membership in the order's server, or None for an order from outside."""
        if self.server_id is None or not self.is_installed:
            return None
        return Membership(server_id=self.server_id, role_ids=self.role_ids)
