"""The provider is asked when a job is likely to end."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, quantiles
from typing import TYPE_CHECKING

import pytest

from bot.jobs.polling.schedule import PollSchedule
from bot.model import JobState
from bot.runtime.timing import REMOTE
from storage.jobs.generation_times import GenerationTimes
from tests.support.simulated_polls import (
    percent_at,
    poll_to_the_end,
    steps_of_five_at,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.fakes.bench import Bench

TIMES = tuple(90.0 + 4.5 * number for number in range(20))


async def remember(bench: Bench, times: tuple[float, ...]) -> None:
    """Let similar jobs have taken these times."""
    job = await bench.at(JobState.SUCCEEDED)
    for number, seconds in enumerate(times):
        await bench.database.rows(
            "INSERT INTO jobs (id, state, created_at, updated_at, backend, prompt, model, seconds,"
            " size, fingerprint, interaction_id, application_id, user_id, channel_id, locale,"
            " token_until, upload_limit, message_id, remote_id, generated_seconds)"
            " SELECT printf('%032x', :n), state, created_at + :n, updated_at, backend, prompt,"
            " model, seconds, size, fingerprint, -:n, application_id, user_id, channel_id,"
            " locale, token_until, upload_limit, message_id, 'r' || :n, :taken"
            " FROM jobs WHERE id = :id",
            {"n": number + 1, "taken": seconds, "id": job.id},
        )


def schedule(bench: Bench, *, has_webhooks: bool = False) -> PollSchedule:
    return PollSchedule(
        REMOTE.poll_intervals,
        GenerationTimes(bench.database),
        has_webhooks=has_webhooks,
        clock=bench.clock,
        jitter=lambda: 0.0,
    )


@pytest.mark.parametrize(
    ("percent", "median", "p95", "polls"),
    [(percent_at, 2, 4, 9), (steps_of_five_at, 2, 4, 9), (unknown, 3.5, 7, 12)],
    ids=["percentage", "percentage in steps of 5", "times of similar jobs"],
)
async def test_the_end_is_noticed_soon_and_with_few_polls(
    bench: Bench,
    percent: Callable[[float, float], int | None],
    median: float,
    p95: float,
    polls: float,
) -> None:
    await remember(bench, TIMES)
    job = await bench.at(JobState.GENERATING)
    lengths = [90 + 0.9 * number for number in range(100)]
    results = [
        await poll_to_the_end(schedule(bench), bench.clock, job, length, percent)
        for length in lengths
    ]
    delays = [delay for delay, _ in results]
    cuts = quantiles(delays, n=20)
    assert cuts[9] <= median
    assert cuts[18] <= p95
    assert mean(count for _, count in results) <= polls


async def test_without_times_the_intervals_only_grow(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    waits = [
        await schedule(bench).seconds_until_next(replace(job, attempts=attempts), None)
        for attempts in range(3)
    ]
    assert waits == [REMOTE.poll_intervals.after(attempts) for attempts in range(3)]


async def test_webhooks_leave_the_intervals_as_they_are(bench: Bench) -> None:
    await remember(bench, TIMES)
    job = await bench.at(JobState.GENERATING)
    waits = await schedule(bench, has_webhooks=True).seconds_until_next(job, 50)
    assert waits == REMOTE.poll_intervals.after(job.attempts)


async def test_a_percentage_that_stands_still_leads_back_to_the_times(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    asked = schedule(bench)
    await asked.seconds_until_next(job, 80)
    bench.clock.advance(10)
    assert await asked.seconds_until_next(job, 98) < 2
    bench.clock.advance(60)
    assert await asked.seconds_until_next(job, 98) == REMOTE.poll_intervals.after(job.attempts)


async def test_a_job_far_older_than_all_others_is_polled_at_the_growing_intervals(
    bench: Bench,
) -> None:
    await remember(bench, TIMES)
    job = replace(await bench.at(JobState.GENERATING), attempts=30)
    bench.clock.advance(3600)
    assert await schedule(bench).seconds_until_next(job, None) == REMOTE.poll_intervals.ceiling


async def test_the_answer_that_told_of_the_end_is_used_for_the_download(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.finish()
    await bench.step(job.id)
    polls = bench.backend.polls
    await bench.step(job.id)
    assert bench.backend.polls == polls


async def test_an_answer_that_is_not_fresh_is_asked_for_anew(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.finish()
    await bench.step(job.id)
    polls = bench.backend.polls
    bench.clock.advance(31)
    await bench.step(job.id)
    assert bench.backend.polls == polls + 1
