"""Measures how soon `/video` is answered at 50 a second, quiet and beside busy processes."""

from __future__ import annotations

import asyncio
import math
import statistics
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.order_environment import open_order_environment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from benchmarks.order_environment import OrderEnvironment
    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message

_COMMANDS, _PER_SECOND = 1000, 50
_ANSWERED_WITHIN = 3.0  # seconds: Discord's limit
_SETTLING = 2.0
_BUSY = "while True: pass"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandLoad:
    """The seconds until each answer, while `busy` other processes compute.

    `late`: the number of commands that got no answer in time.
    """

    busy: int
    seconds: tuple[float, ...]
    late: int


async def measure_commands(folder: Path, *, busy: int) -> CommandLoad:
    """Type `/video` at an even rate, each as another user, while so many processes compute."""
    answered: dict[int, float] = {}

    def record(message: Message) -> None:
        answered.setdefault(message.id, time.perf_counter())

    async with open_order_environment(folder, max_jobs=_COMMANDS, on_message=record) as environment:
        await asyncio.sleep(_SETTLING)
        async with _busy_processes(busy):
            typed = await _type_all(environment)
            await asyncio.sleep(_ANSWERED_WITHIN)
    seconds = [answered[each.message.id] - at for each, at in typed if each.message]
    in_time = tuple(each for each in seconds if each <= _ANSWERED_WITHIN)
    return CommandLoad(busy=busy, seconds=in_time, late=_COMMANDS - len(in_time))


async def _type_all(environment: OrderEnvironment) -> list[tuple[Interaction, float]]:
    """Type all commands; return each with the time at which it was sent."""
    fake_discord = environment.fake_discord
    users = [fake_discord.world.add_user(f"requester-{n}") for n in range(_COMMANDS)]
    typed: list[tuple[Interaction, float]] = []
    started = time.perf_counter()
    for number, user in enumerate(users):
        due = started + number / _PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        options = {"prompt": f"Film number {number}"}
        typed.append((await fake_discord.slash("video", options, user=user), time.perf_counter()))
    return typed


@asynccontextmanager
async def _busy_processes(count: int) -> AsyncGenerator[None]:
    children = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _BUSY) for _ in range(count)
    ]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            await child.wait()


def rows(results: list[CommandLoad]) -> list[tuple[str, ...]]:
    """Return the cells of a table of results."""
    return [
        (
            str(each.busy) if each.busy else "none",
            f"{statistics.median(each.seconds) * 1000:.0f}",
            f"{sorted(each.seconds)[math.ceil(0.95 * len(each.seconds)) - 1] * 1000:.0f}",
            f"{max(each.seconds) * 1000:.0f}",
            f"**{each.late}** of {_COMMANDS}",
        )
        for each in results
        if each.seconds
    ]
