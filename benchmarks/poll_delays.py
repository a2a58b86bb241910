"""Measures how soon the poll schedule notices the end of a job, and with how many polls.

The clock is simulated, so the result is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean, quantiles
from typing import TYPE_CHECKING

from bot.jobs.polling.schedule import PollSchedule
from bot.runtime.timing import REMOTE
from storage.database import open_database
from storage.jobs.generation_times import GenerationTimes
from storage.jobs.store import JobStore
from tests.support.fakes.clock import Clock
from tests.support.simulated_polls import (
    percent_at,
    poll_to_the_end,
    steps_of_five_at,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.model import Job
    from storage.database import Database

# The job with the lowest number still runs. The others ended after 90 to 175 seconds.
_FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)
INSERT INTO jobs (
    id, state, created_at, updated_at, backend, prompt, model, seconds, size, fingerprint,
    interaction_id, application_id, user_id, channel_id, locale, token_until, upload_limit,
    message_id, remote_id, generated_seconds)
SELECT printf('%032x', n), CASE n WHEN 0 THEN 'generating' ELSE 'succeeded' END, :now + n, :now,
    'openai', 'p', 'sora-2', 8, '1280x720', printf('%x', n), n, 1, n, 1, 'en', 0, 1, n,
    printf('video_%d', n), CASE n WHEN 0 THEN NULL ELSE 85.5 + 4.5 * n END
FROM numbers
"""
_SIMILAR_JOBS = 20
_LENGTHS = tuple(90 + 0.9 * number for number in range(100))
_KNOWN: tuple[tuple[str, int, Callable[[float, float], int | None]], ...] = (
    ("a percentage", _SIMILAR_JOBS, percent_at),
    ("a percentage in steps of 5", _SIMILAR_JOBS, steps_of_five_at),
    ("the times of 20 similar jobs", _SIMILAR_JOBS, unknown),
    ("nothing: the intervals only grow", 0, unknown),
)
HEAD = ("What is known", "Seconds until the end is noticed, median", "95 %", "Polls, mean")
NOTE = """\
Jobs take 90 to 180 seconds at a provider without webhooks and without a list. The times of the
earlier jobs are spread over the same range. The clock is simulated.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PollDelays:
    """The delays after which the ends of jobs are noticed, in seconds, and the mean of the polls.

    `known`: what the schedule knows.
    """

    known: str
    delays: tuple[float, ...]
    polls: float


async def measure_poll_delays(folder: Path) -> list[PollDelays]:
    """Poll a hundred jobs to their ends for everything that the schedule may know."""
    return [
        await _measure(folder / f"poll-delays-{number}", known, similar_jobs, percent)
        for number, (known, similar_jobs, percent) in enumerate(_KNOWN)
    ]


def rows(results: Sequence[PollDelays]) -> list[tuple[str, ...]]:
    """Return the rows of the table."""
    return [
        (each.known, f"{cuts[9]:.1f}", f"{cuts[18]:.1f}", f"{each.polls:.1f}")
        for each in results
        for cuts in [quantiles(each.delays, n=20)]
    ]


async def _measure(
    folder: Path,
    known: str,
    similar_jobs: int,
    percent: Callable[[float, float], int | None],
) -> PollDelays:
    folder.mkdir()
    clock = Clock()
    async with open_database(folder) as database:
        job = await _running_job(database, similar_jobs, now=clock())
        schedule = PollSchedule(
            REMOTE.poll_intervals,
            GenerationTimes(database),
            has_webhooks=False,
            clock=clock,
            jitter=lambda: 0.0,
        )
        results = [
            await poll_to_the_end(schedule, clock, job, length, percent) for length in _LENGTHS
        ]
    return PollDelays(
        known=known,
        delays=tuple(delay for delay, _ in results),
        polls=mean(polls for _, polls in results),
    )


async def _running_job(database: Database, similar_jobs: int, *, now: float) -> Job:
    await database.rows(_FILL, {"jobs": similar_jobs, "now": now})
    job = await JobStore(database).get(f"{0:032x}")
    assert job is not None  # noqa: S101 - it was just stored
    return job
