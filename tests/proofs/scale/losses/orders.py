"""Orders that people type, and what the provider and Discord say became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.wire import FakeDiscordError

if TYPE_CHECKING:
    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.server import FakeDiscord
    from bot.demo.fake_discord.state.message import Message
    from tests.support.providers.videos_api import VideosApi


@dataclass(frozen=True, kw_only=True)
class Order:
    """A `/video` that a person typed."""

    prompt: str
    interaction: Interaction

    @property
    def messages(self) -> list[Message]:
        """The messages with which the bot answered."""
        interaction = self.interaction
        return [each for each in (interaction.message, *interaction.followups) if each]

    @property
    def has_video(self) -> bool:
        """Whether the card has a video."""
        return any(message.files for message in self.messages)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcomes of the orders. An order without any answer was never taken."""

    typed: int
    unanswered: int
    lost: list[str]
    charged_twice: list[str]
    charged_unanswered: list[str]
    told_twice: list[str]

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, charged twice or told twice."""
        wrong = (self.lost, self.charged_twice, self.charged_unanswered, self.told_twice)
        return not any(wrong)

    def __str__(self) -> str:
        return (
            f"{self.typed} orders, {self.unanswered} never taken, {len(self.lost)} lost, "
            f"{len(self.charged_twice)} charged twice, {len(self.told_twice)} told twice"
            + "".join(
                f"\n      {name}: {', '.join(prompts[:5])}"
                for name, prompts in (
                    ("lost", self.lost),
                    ("charged twice", self.charged_twice),
                    ("charged, but without an answer", self.charged_unanswered),
                    ("told twice", self.told_twice),
                )
                if prompts
            )
        )


class Orders:
    """Types orders, and judges them."""

    def __init__(self, discord: FakeDiscord, api: VideosApi) -> None:
        self._discord = discord
        self._api = api
        self._orders: list[Order] = []
        self._number = 0

    async def type(self, count: int, *, every: float = 0.05) -> None:
        """Have `count` people order a video each. While there is no bot, they wait and try."""
        for _ in range(count):
            self._number += 1
            person = self._discord.world.add_user(f"person{self._number}")
            prompt = f"Lighthouse number {self._number} at dusk"
            interaction = await self._slash(prompt, person)
            self._orders.append(Order(prompt=prompt, interaction=interaction))
            await asyncio.sleep(every)

    async def _slash(self, prompt: str, person: object) -> Interaction:
        while True:
            try:
                return await self._discord.slash("video", {"prompt": prompt}, user=person)  # pyright: ignore[reportArgumentType]
            except FakeDiscordError:
                await asyncio.sleep(0.2)

    @property
    def delivered(self) -> int:
        """The number of cards that have a video."""
        return sum(order.has_video for order in self._orders)

    async def until_delivered(self, count: int, within: float = 120.0) -> None:
        """Wait until so many cards have a video."""
        async with asyncio.timeout(within):
            while self.delivered < count:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.1)

    async def settle(self, within: float) -> float:
        """Wait until all answered orders have ended, and return the seconds that it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self._open() and loop.time() - began < within:  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.25)
        taken = loop.time() - began
        await asyncio.sleep(3)  # for messages that should not come
        return taken

    def _open(self) -> bool:
        return any(
            order.messages and not (order.has_video and self._discord.dms(order.interaction.user))
            for order in self._orders
        )

    def verdict(self) -> Verdict:
        """Judge all orders by the provider's jobs and by the messages."""
        charges = Counter(job["prompt"] for job in self._api.jobs.values())
        orders = self._orders
        answered = [order for order in orders if order.messages]
        return Verdict(
            typed=len(orders),
            unanswered=len(orders) - len(answered),
            lost=[order.prompt for order in answered if not order.has_video],
            charged_twice=[order.prompt for order in orders if charges[order.prompt] > 1],
            charged_unanswered=[
                order.prompt for order in orders if charges[order.prompt] and not order.messages
            ],
            told_twice=[order.prompt for order in answered if self._is_told_twice(order)],
        )

    def _is_told_twice(self, order: Order) -> bool:
        videos = sum(bool(message.files) for message in order.messages)
        dms = self._discord.dms(order.interaction.user)
        return len(order.messages) > 1 or videos > 1 or len(dms) != 1
