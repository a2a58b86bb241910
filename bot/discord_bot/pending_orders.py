"""PendingOrders: keeps the orders that wait for an answer about the person's voice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import discord

    from bot.discord_bot.bot import VideoBot
    from bot.model import Attachment, VideoRequest

# After this time, the token of the interaction has expired, and the question can't be removed.
_KEPT_SECONDS = 14 * 60.0
_MOST_ORDERS = 1000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PendingOrder:
    """An order with a narration. `interaction` is the one that was answered with the question."""

    interaction: discord.Interaction[VideoBot]
    request: VideoRequest
    attachment: Attachment
    narration_of: str | None
    at: float


class PendingOrders:
    """Keeps orders in memory only. After a restart, people order again.

    `steady`: a clock that never jumps.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._orders: dict[int, PendingOrder] = {}

    def add(
        self,
        interaction: discord.Interaction[VideoBot],
        request: VideoRequest,
        attachment: Attachment,
        *,
        narration_of: str | None,
    ) -> None:
        """Keep an order under the id of its interaction."""
        while self._orders:
            oldest = next(iter(self._orders))
            if len(self._orders) < _MOST_ORDERS and self._is_recent(self._orders[oldest]):
                break
            del self._orders[oldest]
        self._orders[interaction.id] = PendingOrder(
            interaction=interaction,
            request=request,
            attachment=attachment,
            narration_of=narration_of,
            at=self._steady(),
        )

    def pop(self, interaction_id: int, user_id: int) -> PendingOrder | None:
        """Remove and return a person's order, or return None if it no longer waits."""
        order = self._orders.get(interaction_id)
        if order is None or order.interaction.user.id != user_id:
            return None
        del self._orders[interaction_id]
        return order if self._is_recent(order) else None

    def forget(self, user_id: int) -> None:
        """Remove a person's orders."""
        for key, order in [*self._orders.items()]:
            if order.interaction.user.id == user_id:
                del self._orders[key]

    def _is_recent(self, order: PendingOrder) -> bool:
        return self._steady() - order.at < _KEPT_SECONDS
