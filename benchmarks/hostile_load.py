"""Measures how fast the bot responds during hostile requests, and how much its log grows."""

from __future__ import annotations

import asyncio
import math
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.environment import ROOT, open_environment
from benchmarks.hostile_requests import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.environment import Environment

TARGET = 0.1  # seconds, for each response of /healthz
_SECONDS = 10.0
_PAUSE = 0.02
_UPLOAD_LIMIT = 10 * 1024 * 1024
_TOKEN = "a-token-of-the-benchmarks"  # noqa: S105 - only of this bot


@dataclass(frozen=True, kw_only=True, slots=True)
class HostileResult:
    """The seconds in which `/healthz` and commands were answered, and the log's growth in bytes."""

    kind: str
    health: tuple[float, ...]
    commands: tuple[float, ...]
    log_bytes: int

    @property
    def percentile_99(self) -> float:
        """The 99th percentile of the response times of `/healthz`, by the nearest-rank method."""
        return sorted(self.health)[math.ceil(0.99 * len(self.health)) - 1]


async def measure_hostile_load(folder: Path) -> list[HostileResult]:
    """Send each kind of hostile request for a while; the first result is without any."""
    async with open_environment(
        folder, clip=None, upload_limit=_UPLOAD_LIMIT, api_token=_TOKEN
    ) as environment:
        log = folder / "bot.log"
        results = [await _measure(environment, log, None)]
        return [*results, *[await _measure(environment, log, kind) for kind in KINDS]]


async def _measure(environment: Environment, log: Path, kind: str | None) -> HostileResult:
    size, attack = log.stat().st_size, None
    if kind is not None:
        attack = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.hostile_requests",
            f"--port={environment.port}",
            f"--kind={list(KINDS).index(kind)}",
            f"--seconds={_SECONDS}",
            f"--token={_TOKEN}",
            cwd=ROOT,
            stderr=asyncio.subprocess.DEVNULL,  # the end of its output is always an error
        )
    until = time.perf_counter() + _SECONDS
    health, commands = await asyncio.gather(_ask(environment, until), _command(environment, until))
    if attack is not None:
        await attack.wait()
    return HostileResult(
        kind=kind or "none",
        health=tuple(health),
        commands=tuple(commands),
        log_bytes=log.stat().st_size - size,
    )


async def _ask(environment: Environment, until: float) -> list[float]:
    times: list[float] = []
    while (started := time.perf_counter()) < until:
        url = f"http://127.0.0.1:{environment.port}/healthz"
        async with environment.http.get(url) as response:
            await response.read()
        times.append(time.perf_counter() - started)
        await asyncio.sleep(_PAUSE)
    return times


async def _command(environment: Environment, until: float) -> list[float]:
    times: list[float] = []
    while (started := time.perf_counter()) < until:
        interaction = await environment.fake_discord.slash("videos")
        await environment.fake_discord.answer_to(interaction)
        times.append(time.perf_counter() - started)
        await asyncio.sleep(1.0)
    return times


def rows(results: list[HostileResult]) -> list[tuple[str, ...]]:
    """Return the cells of a table of results."""
    return [
        (
            each.kind,
            str(len(each.health)),
            f"{statistics.median(each.health) * 1000:.0f}",
            f"{each.percentile_99 * 1000:.0f}",
            f"**{max(each.health) * 1000:.0f}**",
            f"{max(each.commands) * 1000:.0f}",
            f"{each.log_bytes}",
        )
        for each in results
    ]
