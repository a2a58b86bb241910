"""Judges the killed bot from outside: by the provider's charges and the messages on Discord."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from tests.proofs.kill.provider import HostileVideosApi


@dataclass(frozen=True, kw_only=True)
class Order:
    """A `/video` that a person typed, with what that person saw of it.

    `tries`: how often the person pressed *Try again*. `is_given_up`: whether *Give up* was pressed.
    """

    prompt: str
    tries: int
    is_given_up: bool
    interaction: Interaction
    dms: list[Message]
    messages: list[Message]
    state: str | None
    events: tuple[str, ...]

    @property
    def has_video(self) -> bool:
        return any(message.files for message in self.messages)


def faults_of(order: Order, api: HostileVideosApi) -> list[str]:
    """Return what is wrong with one order; an empty list: nothing."""
    charges = sum(charge.prompt == order.prompt for charge in api.charges)
    wrong: list[str] = []
    if charges > 1 + order.tries:
        replaced = ", and the provider had lost the first clip" if order.prompt in api.lost else ""
        wrong.append(f"charged too often{replaced} ({', '.join(order.events)})")
    if len(order.messages) > 1 or len(order.dms) > 1:
        wrong.append("a second message")
    if sum(bool(message.files) for message in order.messages) > 1:
        wrong.append("a second video")
    if order.state is None or not order.messages:
        # A command that was killed before its card was never answered: nothing may be charged.
        return [*wrong, "lost: no card, but charged"] if charges else wrong
    is_clip_gone = order.prompt in api.lost or order.prompt in api.failed
    return wrong + _wrong_end(order, charges, is_clip_gone=is_clip_gone)


def _wrong_end(order: Order, charges: int, *, is_clip_gone: bool) -> list[str]:
    match order.state:
        case "succeeded":
            return [] if order.has_video else ["lost: succeeded without a video"]
        case "undecided":
            return [] if "charge twice" in order.messages[0].text else ["the card asks no question"]
        case "failed":
            is_lost = charges and not is_clip_gone
            return ["lost: failed, but the clip exists"] if is_lost else []
        case "cancelled" if order.is_given_up:
            return []
        case state:
            return [f"not ended: {state}"]


def outcomes(orders: Iterable[Order]) -> Counter[str]:
    """Count the orders by their state."""
    return Counter(order.state or "never received" for order in orders)
