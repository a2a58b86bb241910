"""`python -m benchmarks.scale [PART ...]`: compares databases, engines and workers.

The parts are `jobs` (jobs a second), `costs` (CPU time of a claim and of a move) and `encodes`
(re-encodes a minute). Without an argument, all of them are run. All figures of a table are from one
run on one machine, whose processors the engines and PostgreSQL share.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from benchmarks.scale_encodes import describe_encodes, measure_encodes
from benchmarks.scale_engine import fill_jobs, make_bench
from bot.model import JobState
from storage.database import open_database
from tests.support.postgres import postgres_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.database import Source
    from tests.support.postgres import PostgresServer

_JOBS = 300
_ROUNDS = 2
_CLAIMS = 300
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pace:
    """The speed at which engines have run all jobs. CPU is in milliseconds for each job."""

    name: str
    jobs_a_second: float
    engine_cpu: float
    server_cpu: float
    shares: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Costs:
    """The CPU milliseconds of one claim and of one move, in the engine and in the server."""

    name: str
    claim: tuple[float, float]
    move: tuple[float, float]


async def _measure_jobs(server: PostgresServer, folder: Path) -> list[str]:
    paces: list[_Pace] = []
    for number in range(_ROUNDS):
        for name, engines in (("SQLite", 1), ("PostgreSQL", 1), ("PostgreSQL", 2)):
            place = folder / f"{name}-{engines}-{number}"
            place.mkdir()
            source = place if name == "SQLite" else await server.url_of(place)
            title = f"{name}, {engines} engine{'s' if engines > 1 else ''}"
            paces.append(await _run_engines(title, server, source, engines))
            _print_progress(f"{title}: {paces[-1].jobs_a_second:.1f} jobs/s")
    return _describe_jobs(paces)


async def _measure_all_costs(server: PostgresServer, folder: Path) -> list[str]:
    costs: list[_Costs] = []
    for name in ("SQLite", "PostgreSQL"):
        place = folder / f"{name}-costs"
        place.mkdir()
        source = place if name == "SQLite" else await server.url_of(place)
        costs.append(await _measure_costs(name, server, source, place))
    return _describe_costs(costs)


async def _measure_encodes(server: PostgresServer, folder: Path) -> list[str]:
    return describe_encodes(await measure_encodes(server, folder))


_PARTS = {"jobs": _measure_jobs, "costs": _measure_all_costs, "encodes": _measure_encodes}


async def _measure(parts: Sequence[str], server: PostgresServer, folder: Path) -> str:
    lines = [f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start"]
    for part in parts:
        lines += ["", *await _PARTS[part](server, folder)]
    return "\n".join(lines)


async def _run_engines(title: str, server: PostgresServer, source: Source, engines: int) -> _Pace:
    async with open_database(source) as database:
        await fill_jobs(database, _JOBS)
    names = ["-"] if engines == 1 else [f"engine-{number}" for number in range(engines)]
    started = [await _start(source, name) for name in names]
    for engine in started:
        if engine.stdout is None or await engine.stdout.readline() != b"ready\n":
            raise RuntimeError("an engine did not start")
    server_before, began_at = _cpu_of(server), time.time()
    ended = [asyncio.create_task(engine.communicate(b"go\n")) for engine in started]
    answers = [json.loads((await each)[0]) for each in ended]
    seconds = max(answer["ended_at"] for answer in answers) - began_at
    if (made := sum(answer["jobs"] for answer in answers)) != _JOBS:
        raise RuntimeError(f"{made} jobs have ended, not {_JOBS}")
    return _Pace(
        name=title,
        jobs_a_second=_JOBS / seconds,
        engine_cpu=sum(answer["cpu"] for answer in answers) / _JOBS * 1000,
        server_cpu=(_cpu_of(server) - server_before) / _JOBS * 1000,
        shares=tuple(answer["jobs"] for answer in answers),
    )


async def _start(source: Source, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.scale_engine",
        str(source),
        name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _measure_costs(name: str, server: PostgresServer, source: Source, root: Path) -> _Costs:
    """Claim jobs one by one, and then move each of them."""
    async with open_database(source) as database:
        await fill_jobs(database, _JOBS)
        bench = make_bench(database, root, name=None)
        before = time.process_time(), _cpu_of(server)
        for _ in range(_CLAIMS):
            # A claimed job stays due, so each of these claims is of the same job.
            await bench.queue.claim((JobState.RECEIVED,), running=(), limit=1)
        between = time.process_time(), _cpu_of(server)
        jobs = await bench.queue.claim((JobState.RECEIVED,), running=(), limit=_CLAIMS)
        for job in jobs:
            await bench.jobs.move(job, JobState.QUEUED)
        after = time.process_time(), _cpu_of(server)
    claim, move = (
        tuple((late - early) / _CLAIMS * 1000 for early, late in zip(first, second, strict=True))
        for first, second in ((before, between), (between, after))
    )
    return _Costs(name=name, claim=(claim[0], claim[1]), move=(move[0], move[1]))


def _cpu_of(server: PostgresServer) -> float:
    """Return the CPU seconds of a server's processes, also of those that have ended."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if path.parent.name == str(server.pid):
            ticks += sum(map(int, fields[11:15]))
        elif fields[1] == str(server.pid):
            ticks += sum(map(int, fields[11:13]))
    return ticks / _TICKS


def _describe_jobs(paces: list[_Pace]) -> list[str]:
    lines = [
        f"{_JOBS} jobs",
        "",
        "| | Jobs a second, by round | CPU ms of a job: engine + server | Jobs of each engine |",
        "| --- | --- | --- | --- |",
    ]
    for name in dict.fromkeys(pace.name for pace in paces):
        rounds = [pace for pace in paces if pace.name == name]
        speeds = ", ".join(f"{pace.jobs_a_second:.0f}" for pace in rounds)
        engine, server = (
            mean(pace.engine_cpu for pace in rounds),
            mean(pace.server_cpu for pace in rounds),
        )
        shares = " + ".join(map(str, rounds[-1].shares))
        lines.append(f"| {name} | {speeds} | {engine:.1f} + {server:.1f} | {shares} |")
    return lines


def _describe_costs(costs: list[_Costs]) -> list[str]:
    return [
        "| CPU ms: engine + server | Claim | Move |",
        "| --- | --- | --- |",
        *(
            f"| {cost.name} | {cost.claim[0]:.2f} + {cost.claim[1]:.2f} |"
            f" {cost.move[0]:.2f} + {cost.move[1]:.2f} |"
            for cost in costs
        ),
    ]


def _print_progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(parts: Sequence[str]) -> int:
    """Measure, and print the tables."""
    if unknown := set(parts) - set(_PARTS):
        sys.stderr.write(f"Unknown: {', '.join(unknown)}. The parts are {', '.join(_PARTS)}.\n")
        return 2
    with postgres_server(is_durable=True) as server, tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(f"{asyncio.run(_measure(parts or list(_PARTS), server, Path(folder)))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
