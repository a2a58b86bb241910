"""RefusedOrders: tells subscribers which orders were refused and why, but not the orders' texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# The sections of the locale files with the sentences that refuse orders.
_SECTIONS = ("access.", "budget.", "caps.", "speech.")
_BLOCKED_WORD = "prompt.blocked"
# These sentences refuse commands about settings, and not orders.
_NO_ORDER = frozenset(
    {
        "access.full",
        "access.limit_of_what",
        "access.not_a_manager",
        "access.one_of_cards",
        "budget.none",
        "budget.other_grant",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedOrder:
    """An order that was refused. `reason`: the key of the sentence that explains the refusal.

    Either `client` is the name of an API client, or the ids are those of the order's place in
    Discord. `server_id` is None in a DM or a group chat.
    """

    reason: str
    client: str | None = None
    user_id: int | None = None
    server_id: int | None = None
    channel_id: int | None = None


class RefusedOrders:
    """Calls every subscriber with each refusal. Subscribers must return immediately."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[RefusedOrder], None]] = []

    def subscribe(self, subscriber: Callable[[RefusedOrder], None]) -> None:
        """Add a subscriber."""
        self._subscribers.append(subscriber)

    def publish(self, refusal: RefusedOrder) -> None:
        """Call the subscribers if `refusal` is the refusal of an order."""
        if refusal.reason in _NO_ORDER:
            return
        if refusal.reason == _BLOCKED_WORD or refusal.reason.startswith(_SECTIONS):
            for subscriber in self._subscribers:
                subscriber(refusal)
