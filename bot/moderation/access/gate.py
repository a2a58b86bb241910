"""The gate: decides whether an order is accepted, before anything is stored or spent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.moderation.access.place import OrderFrom

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.moderation.access.place import OrderPlace, Reach

log = logging.getLogger(__name__)


class Gate:
    """Admits orders from the places that the operator allows; `count` counts refusals by reason.

    Every order passes it: commands, buttons, forms, the API, the page and the command line.
    """

    def __init__(
        self, reach: Reach, *, count: Callable[[str], None] = lambda _reason: None
    ) -> None:
        self.reach = reach
        self._count = count

    def check(self, place: OrderPlace | None) -> None:
        """Raise UserError if an order from this place is refused; None: it is a client's."""
        if place is None:
            return
        reason = self._refusal(place)
        if reason is not None:
            self._count(reason)
            log.info("order.refused reason=%s user=%d", reason, place.user_id)
            raise UserError(reason)

    def _refusal(self, place: OrderPlace) -> str | None:
        """Return the key of the sentence that tells why a place is refused, or None."""
        reach = self.reach
        if place.server_id is not None and place.is_installed:
            return None if reach.allows_server(place.server_id) else "access.server"
        is_dm = place.server_id is None and not place.is_group
        if is_dm and not reach.order_from.takes_dms:
            return "access.dm"
        if not is_dm and reach.order_from is not OrderFrom.EVERYWHERE:
            return "access.user_install"
        if reach.needs_membership and place.home_id is None:
            return "access.not_a_member"
        return None
