"""The gate: decides whether an order is accepted, before anything is stored or spent."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.moderation.access.place import Membership, OrderPlace, Reach

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The gate's decision about an order.

    `refusal` names the sentence that tells why the order is refused, or is None for an allowed
    order.
    `home` is the server that an order from outside all servers counts towards, if there is one.
    """

    refusal: str | None = None
    home: Membership | None = None


class Gate:
    """Admits orders from the places that the operator allows; `count` counts refusals by reason.

    Every order is checked: commands, buttons, forms, the API, the page and the command line.
    """

    def __init__(
        self, reach: Reach, *, count: Callable[[str], None] = lambda _reason: None
    ) -> None:
        self.reach = reach
        self._count = count

    async def check(self, place: OrderPlace | None) -> Membership | None:
        """Return the `home` of an allowed order; UserError: orders from this place are refused.

        `place` is None for the orders of clients.
        """
        verdict = await self.judge(place)
        if verdict.refusal is not None:
            self._count(verdict.refusal)
            user_id = place.user_id if place else 0
            log.info("order.refused reason=%s user=%d", verdict.refusal, user_id)
            raise UserError(verdict.refusal)
        return verdict.home

    async def judge(self, place: OrderPlace | None) -> Verdict:
        """Tell whether an order from this place would be allowed, without counting anything."""
        if place is None:
            return Verdict()
        reach = self.reach
        if place.server_id is not None and place.is_installed:
            allowed = reach.allows_server(place.server_id)
            return Verdict(refusal=None if allowed else "access.server")
        if not reach.takes_outside(place):
            is_dm = place.server_id is None and not place.is_group
            return Verdict(refusal="access.dm" if is_dm else "access.user_install")
        if not reach.needs_membership:
            return Verdict()
        if not place.memberships:
            return Verdict(refusal="access.not_a_member")
        return Verdict(home=place.memberships[0])

    def asks_membership(self, place: OrderPlace) -> bool:
        """Tell whether the decision about a place depends on the requester's servers."""
        is_outside = place.server_id is None or not place.is_installed
        return is_outside and self.reach.takes_outside(place) and self.reach.needs_membership
