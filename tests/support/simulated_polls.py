"""Polls simulated jobs by the bot's schedule, on a clock that tests and benchmarks advance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.runtime.timing import REMOTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.polling.schedule import PollSchedule
    from bot.model import Job
    from tests.support.fakes.clock import Clock


def percent_at(age: float, length: float) -> int:
    return min(99, int(100 * age / length))


def steps_of_five_at(age: float, length: float) -> int:
    return percent_at(age, length) // 5 * 5


def unknown(_age: float, _length: float) -> None:
    return None


async def poll_to_the_end(
    schedule: PollSchedule,
    clock: Clock,
    job: Job,
    length: float,
    percent: Callable[[float, float], int | None],
) -> tuple[float, int]:
    """Poll a job that takes `length` seconds; return the delay of its end, and the polls."""
    start = clock()
    job = replace(job, id=f"{length:032}", generating_at=start, attempts=0)
    wait, polls = REMOTE.poll_intervals.first, 0
    while True:
        clock.advance(wait)
        polls += 1
        age = clock() - start
        if age >= length:
            return age - length, polls
        wait = await schedule.seconds_until_next(job, percent(age, length))
        job = replace(job, attempts=job.attempts + 1)
