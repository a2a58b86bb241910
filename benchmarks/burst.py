"""Many jobs that end within seconds of each other, at a Discord that enforces its rate limits."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.environment import SECRET, process
from bot.demo.fake_discord.server import FakeDiscord
from tests.videos_api import VideosApi
from tests.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message

_WITHIN = 120.0
_TYPED_AT_ONCE = 20
_TOO_MANY = 429


@dataclass(frozen=True, kw_only=True, slots=True)
class Rush:
    """Seconds from each job's webhook to its card, and how many requests Discord turned away.

    `alone` is what one job takes while nothing else happens.
    """

    within: float
    alone: float
    seconds: tuple[float, ...]
    requests: int
    turned_away: int
    edits_of_a_card: int

    @property
    def median(self) -> float:
        """Half of the jobs took less."""
        return statistics.median(self.seconds)

    @property
    def most_of_them(self) -> float:
        """The 95th percentile, by the nearest rank."""
        return sorted(self.seconds)[math.ceil(0.95 * len(self.seconds)) - 1]


@dataclass(kw_only=True, slots=True)
class _Arrivals:
    """When each message first had its video."""

    moments: dict[int, float] = field(default_factory=dict[int, float])

    def note(self, message: Message) -> None:
        if message.files:
            self.moments.setdefault(message.id, time.perf_counter())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Crowd:
    """A bot that is ready, and what it stands between."""

    fake_discord: FakeDiscord
    api: VideosApi
    arrivals: _Arrivals

    async def type(self, number: int) -> tuple[str, Message]:
        """Let a new person ask for a video; return the prompt and the card."""
        prompt = f"Film number {number}"
        user = self.fake_discord.world.add_user(f"person-{number}")
        interaction = await self.fake_discord.slash("video", {"prompt": prompt}, user=user)
        return prompt, await self.fake_discord.answer_to(interaction, within=_WITHIN)

    async def created(self, count: int) -> dict[str, str]:
        """Wait until so many jobs are at the provider; return their ids by prompt."""
        async with asyncio.timeout(_WITHIN):
            while len(self.api.jobs) < count:
                await asyncio.sleep(0.05)
        return {job["prompt"]: ref for ref, job in self.api.jobs.items()}

    async def finish(self, ref: str) -> float:
        """Let a job be done, and say so; return the moment."""
        self.api.finish(ref)
        sent = time.perf_counter()
        await self.api.send_webhook(ref)
        return sent

    async def arrived(self, cards: list[Message]) -> None:
        """Wait until all the cards have their video."""
        ids = {card.id for card in cards}
        await self.fake_discord.wait_for(
            lambda: ids <= self.arrivals.moments.keys(), within=_WITHIN
        )


async def rush(folder: Path, clip: Path, *, jobs: int, within: float) -> Rush:
    """Let `jobs` jobs of as many people be done in `within` seconds, evenly."""
    async with _open(folder, clip) as crowd:
        prompt, card = await crowd.type(0)
        began = await crowd.finish((await crowd.created(1))[prompt])
        await crowd.arrived([card])
        alone = crowd.arrivals.moments[card.id] - began

        cards: dict[str, Message] = {}
        for first in range(1, jobs + 1, _TYPED_AT_ONCE):
            numbers = range(first, min(first + _TYPED_AT_ONCE, jobs + 1))
            cards.update(await asyncio.gather(*map(crowd.type, numbers)))
        refs = await crowd.created(jobs + 1)
        before = len(crowd.fake_discord.history.requests)
        sent = await _finish_all(crowd, {name: refs[name] for name in cards}, within)
        await crowd.arrived([*cards.values()])
        seconds = [crowd.arrivals.moments[cards[name].id] - sent[name] for name in cards]
        await _all_told(crowd, jobs + 1)
        made = crowd.fake_discord.history.requests[before:]
    edits = Counter(request.path for request in made if request.method == "PATCH")
    return Rush(
        within=within,
        alone=alone,
        seconds=tuple(seconds),
        requests=len(made),
        turned_away=sum(request.status == _TOO_MANY for request in made),
        edits_of_a_card=max(edits.values()),
    )


async def _finish_all(crowd: _Crowd, refs: dict[str, str], within: float) -> dict[str, float]:
    began = time.perf_counter()
    tasks: dict[str, asyncio.Task[float]] = {}
    for number, (prompt, ref) in enumerate(refs.items()):
        await asyncio.sleep(max(0.0, began + within * number / len(refs) - time.perf_counter()))
        tasks[prompt] = asyncio.create_task(crowd.finish(ref))
    return {prompt: await task for prompt, task in tasks.items()}


async def _all_told(crowd: _Crowd, count: int) -> None:
    """Wait for the DMs: they are the bot's last word."""

    def told() -> bool:
        dms = [m for m in crowd.fake_discord.history.messages if m.channel.guild is None]
        return len(dms) >= count

    await crowd.fake_discord.wait_for(told, within=_WITHIN * 3)


@asynccontextmanager
async def _open(folder: Path, clip: Path) -> AsyncGenerator[_Crowd]:
    folder.mkdir()
    (folder / "discord").mkdir()
    port, arrivals = free_port(), _Arrivals()
    api = VideosApi(
        clip=clip,
        webhook_url=f"http://127.0.0.1:{port}/api/webhook/video-events",
        webhook_secret=SECRET,
    )
    async with AsyncExitStack() as stack:
        fake_discord = await stack.enter_async_context(
            FakeDiscord(folder / "discord", on_message=arrivals.note)
        )
        fake_discord.rates.enforced = True
        await stack.enter_async_context(api)
        environment = {
            "DATA_DIR": str(folder / "data"),
            "HTTP_PORT": str(port),
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": api.base_url,
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "PROMPT_WRITER": "off",  # jobs are told apart by their prompts
            "MAX_JOBS": "1000",
            "MAX_JOBS_PER_DAY": "1000",
            "DISCORD_TOKEN": fake_discord.token,
            "DISCORD_API_URL": fake_discord.url,
        }
        await stack.enter_async_context(process(folder / "bot.log", environment, ("bot", "run")))
        await fake_discord.wait_for_bot(within=_WITHIN)
        yield _Crowd(fake_discord=fake_discord, api=api, arrivals=arrivals)
