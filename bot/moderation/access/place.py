"""The place of an order, and the places that the operator allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OrderFrom(StrEnum):
    """The places from which orders may come. Each value includes the previous ones.

    `SERVERS`: servers that have installed the bot. `DMS`: direct messages with the bot.
    `EVERYWHERE`: group chats, and all servers in which a person uses their own installation.
    """

    SERVERS = "servers"
    DMS = "dms"
    EVERYWHERE = "everywhere"

    @property
    def takes_dms(self) -> bool:
        """True if direct messages with the bot are among the places."""
        return self is not OrderFrom.SERVERS


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The operator's settings for the places of orders.

    `allowed_servers`: the servers' Discord ids, or empty for every server that the bot is in.
    """

    order_from: OrderFrom = OrderFrom.SERVERS
    allowed_servers: frozenset[int] = frozenset()

    def allows_server(self, server_id: int) -> bool:
        """Tell whether people may order in a server."""
        return not self.allowed_servers or server_id in self.allowed_servers

    def takes_outside(self, place: OrderPlace) -> bool:
        """Tell whether people may order in a place that no server's installation covers."""
        if self.order_from is OrderFrom.EVERYWHERE:
            return True
        return place.is_dm and self.order_from.takes_dms

    @property
    def needs_membership(self) -> bool:
        """True if orders from outside all servers are only allowed for members of a server."""
        return self.order_from is OrderFrom.DMS or (
            self.order_from is OrderFrom.EVERYWHERE and bool(self.allowed_servers)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """A server in which a person is, with their roles there."""

    server_id: int
    role_ids: frozenset[int] = frozenset()
    is_booster: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPlace:
    """The place of an order in Discord, as far as the interaction and the bot know it."""

    #: Discord's id of the requester.
    user_id: int
    #: The server's Discord id; None in a DM or a group chat.
    server_id: int | None = None
    #: True if the server itself has installed the bot, not only the requester.
    is_installed: bool = False
    #: True in a conversation that the bot is not part of.
    is_group: bool = False
    #: Discord's ids of the thread, the channel and the category, as far as they exist.
    channel_ids: tuple[int, ...] = ()
    #: True if Discord shows the channel only to adults.
    is_age_restricted: bool = False
    #: The requester's roles in the server.
    role_ids: frozenset[int] = frozenset()
    #: The allowed servers of the requester, if the order is not from one of them.
    memberships: tuple[Membership, ...] = ()

    @property
    def is_dm(self) -> bool:
        """True in a direct message with the bot."""
        return self.server_id is None and not self.is_group

    @property
    def membership(self) -> Membership | None:
        """The requester's membership in the order's server, or None outside all servers."""
        if self.server_id is None or not self.is_installed:
            return None
        return Membership(server_id=self.server_id, role_ids=self.role_ids)
