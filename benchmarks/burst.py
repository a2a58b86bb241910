"""Measures a burst of jobs against a Discord stand-in that enforces rate limits."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from benchmarks.memory import cpu_seconds
from benchmarks.order_environment import open_order_environment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.server import FakeDiscord
    from bot.demo.fake_discord.state.message import Message
    from tests.support.providers.videos_api import VideosApi

_TIMEOUT = 120.0  # seconds
_CONCURRENT_COMMANDS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class BurstResult:
    """The seconds from each job's webhook to its video in Discord, and the requests to Discord.

    `spread`: the seconds over which the jobs' ends were spread.
    `single_job`: the seconds of one job alone.
    `rate_limited`: the number of requests with a 429 response.
    `card_edits`: the largest number of edits of one card.
    `cpu`: the bot's seconds of CPU for each job, from the command to the DM.
    """

    spread: float
    single_job: float
    seconds: tuple[float, ...]
    requests: int
    rate_limited: int
    card_edits: int
    cpu: float

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return statistics.median(self.seconds)

    @property
    def percentile_95(self) -> float:
        """The 95th percentile of the seconds, by the nearest-rank method."""
        return sorted(self.seconds)[math.ceil(0.95 * len(self.seconds)) - 1]


@dataclass(kw_only=True, slots=True)
class _DeliveryTimes:
    """Records the time at which each message first has its video."""

    by_message: dict[int, float] = field(default_factory=dict[int, float])

    def record(self, message: Message) -> None:
        if message.files:
            self.by_message.setdefault(message.id, time.perf_counter())


@dataclass(frozen=True, kw_only=True, slots=True)
class _BurstEnvironment:
    """A bot that is ready, with its Discord stand-in and its provider `videos_api`."""

    fake_discord: FakeDiscord
    videos_api: VideosApi
    delivery_times: _DeliveryTimes
    pid: int

    async def request_video(self, number: int) -> tuple[str, Message]:
        """Type `/video` as a new user; return the prompt and the card."""
        prompt = f"Film number {number}"
        user = self.fake_discord.world.add_user(f"requester-{number}")
        interaction = await self.fake_discord.slash("video", {"prompt": prompt}, user=user)
        return prompt, await self.fake_discord.answer_to(interaction, within=_TIMEOUT)

    async def wait_for_remote_jobs(self, count: int) -> dict[str, str]:
        """Wait until the provider has `count` jobs; return their ids by prompt."""
        async with asyncio.timeout(_TIMEOUT):
            while len(self.videos_api.jobs) < count:
                await asyncio.sleep(0.05)
        return {job["prompt"]: ref for ref, job in self.videos_api.jobs.items()}

    async def finish_job(self, ref: str) -> float:
        """Finish a job at the provider and send its webhook; return the time of sending."""
        self.videos_api.finish(ref)
        sent = time.perf_counter()
        await self.videos_api.send_webhook(ref)
        return sent

    async def wait_for_videos(self, cards: list[Message]) -> None:
        """Wait until every card has its video."""
        ids = {card.id for card in cards}
        await self.fake_discord.wait_for(
            lambda: ids <= self.delivery_times.by_message.keys(), within=_TIMEOUT
        )


async def run_burst(folder: Path, clip: Path, *, jobs: int, spread: float) -> BurstResult:
    """Finish `jobs` jobs of as many requesters, evenly spread over `spread` seconds."""
    async with _open_environment(folder, clip) as burst:
        single_job = await _time_single_job(burst)
        cpu_before = cpu_seconds(burst.pid)
        cards: dict[str, Message] = {}
        for first in range(1, jobs + 1, _CONCURRENT_COMMANDS):
            numbers = range(first, min(first + _CONCURRENT_COMMANDS, jobs + 1))
            cards.update(await asyncio.gather(*map(burst.request_video, numbers)))
        refs = await burst.wait_for_remote_jobs(jobs + 1)
        earlier = len(burst.fake_discord.history.requests)
        sent = await _finish_all(burst, {prompt: refs[prompt] for prompt in cards}, spread)
        await burst.wait_for_videos(list(cards.values()))
        delivered = burst.delivery_times.by_message
        seconds = [delivered[card.id] - sent[prompt] for prompt, card in cards.items()]
        await _wait_for_dms(burst, jobs + 1)
        cpu = cpu_seconds(burst.pid) - cpu_before
        requests = burst.fake_discord.history.requests[earlier:]
    edits = Counter(request.path for request in requests if request.method == "PATCH")
    return BurstResult(
        spread=spread,
        single_job=single_job,
        seconds=tuple(seconds),
        requests=len(requests),
        rate_limited=sum(request.status == HTTPStatus.TOO_MANY_REQUESTS for request in requests),
        card_edits=max(edits.values()),
        cpu=cpu / jobs,
    )


async def _time_single_job(burst: _BurstEnvironment) -> float:
    prompt, card = await burst.request_video(0)
    sent = await burst.finish_job((await burst.wait_for_remote_jobs(1))[prompt])
    await burst.wait_for_videos([card])
    return burst.delivery_times.by_message[card.id] - sent


async def _finish_all(
    burst: _BurstEnvironment, refs: dict[str, str], spread: float
) -> dict[str, float]:
    """Finish the jobs evenly over `spread` seconds; return the times of their webhooks."""
    started = time.perf_counter()
    tasks: dict[str, asyncio.Task[float]] = {}
    for number, (prompt, ref) in enumerate(refs.items()):
        due = started + spread * number / len(refs)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks[prompt] = asyncio.create_task(burst.finish_job(ref))
    return {prompt: await task for prompt, task in tasks.items()}


async def _wait_for_dms(burst: _BurstEnvironment, count: int) -> None:
    """Wait for the DMs, which are the last requests of the jobs."""

    def are_sent() -> bool:
        messages = burst.fake_discord.history.messages
        return sum(message.channel.guild is None for message in messages) >= count

    await burst.fake_discord.wait_for(are_sent, within=_TIMEOUT * 3)


@asynccontextmanager
async def _open_environment(folder: Path, clip: Path) -> AsyncGenerator[_BurstEnvironment]:
    delivery_times = _DeliveryTimes()
    async with open_order_environment(
        folder, clip=clip, has_rate_limits=True, on_message=delivery_times.record
    ) as environment:
        yield _BurstEnvironment(
            fake_discord=environment.fake_discord,
            videos_api=environment.videos_api,
            delivery_times=delivery_times,
            pid=environment.pid,
        )
