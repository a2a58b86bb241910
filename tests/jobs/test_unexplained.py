"""A refusal without a known reason concerns one prompt, until another prompt is refused too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import BackendError, ErrorKind, Trouble
from bot.model import JobState
from bot.texts import Texts
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import ALL_STATES, Bench, open_bench
from tests.support.fakes.orders import REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_on_each_database")

HOUR = 60 * 60


def refuse(bench: Bench, times: int = 1) -> None:
    """Have the provider refuse the next creates without a known reason."""
    refusal = BackendError(ErrorKind.UNEXPLAINED, "HTTP 403")
    bench.backend.refusals += [refusal for _ in range(times)]


async def queued(bench: Bench, prompt: str = REQUEST.prompt) -> Job:
    """Queue a job with this prompt."""
    job = await bench.submit(request=replace(REQUEST, prompt=prompt))
    while (now := await bench.now(job.id)).state is not JobState.QUEUED:
        await bench.step(job.id)
    return now


async def is_open(bench: Bench) -> bool:
    circuit = await bench.circuits.get(bench.backend.name)
    return circuit is not None and circuit.is_open


async def refused_alone(bench: Bench, prompt: str = REQUEST.prompt) -> Job:
    """Have a job refused without a known reason until it fails."""
    job = await queued(bench, prompt)
    refuse(bench, 2)
    assert (await bench.step(job.id)).state is JobState.QUEUED
    return await bench.step(job.id)


async def work(bench: Bench) -> None:
    while jobs := await bench.queue.claim(ALL_STATES, running=(), limit=1):
        for job in jobs:
            await bench.lane.steps[job.state](job)


@pytest.mark.sqlite
async def test_a_single_prompt_fails_after_two_tries_and_says_so(bench: Bench) -> None:
    ended = await refused_alone(bench)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.unexplained")
    assert bench.backend.posts == 2
    for language in ("en-US", "de", "ja"):
        assert Texts.load()(ended.failure.key, locale=language)


@pytest.mark.sqlite
async def test_other_jobs_continue_meanwhile(bench: Bench) -> None:
    await refused_alone(bench)
    other = await queued(bench, "a dog on a boat")
    assert (await bench.step(other.id)).state is JobState.GENERATING
    assert await bench.circuits.get(bench.backend.name) is None


@pytest.mark.sqlite
async def test_the_same_prompt_again_proves_nothing_against_the_key(bench: Bench) -> None:
    for prompt in (REQUEST.prompt, f"  {REQUEST.prompt.upper()} ", REQUEST.prompt):
        assert (await refused_alone(bench, prompt)).state is JobState.FAILED
    assert not await is_open(bench)


async def test_a_second_refused_prompt_proves_that_it_is_the_key(bench: Bench) -> None:
    line = [await queued(bench, f"a cat on roof {number}") for number in range(4)]
    refuse(bench, 20)
    while not await is_open(bench):
        await work(bench)
        bench.clock.advance(1)
        assert bench.backend.posts < 10
    circuit = await bench.circuits.get(bench.backend.name)
    assert circuit is not None
    assert circuit.reason is Trouble.AUTH
    assert {(await bench.now(job.id)).state for job in line} == {JobState.QUEUED}


@pytest.mark.sqlite
async def test_a_probe_is_not_blamed_for_the_key(bench: Bench) -> None:
    line = [await queued(bench, f"a cat on roof {number}") for number in range(3)]
    bench.backend.refusals += [BackendError(ErrorKind.AUTH, "HTTP 401")] * 3
    await work(bench)
    assert await is_open(bench)
    refuse(bench, 5)
    for _ in range(5):
        bench.clock.advance(15 * 60)
        await work(bench)
    assert {(await bench.now(job.id)).state for job in line} == {JobState.QUEUED}


@pytest.mark.sqlite
async def test_a_success_in_between_makes_it_about_the_prompt_again(bench: Bench) -> None:
    await refused_alone(bench)
    good = await queued(bench, "a dog on a boat")
    assert (await bench.step(good.id)).state is JobState.GENERATING
    assert (await refused_alone(bench, "a bird in a tree")).state is JobState.FAILED


async def test_refusals_that_are_far_apart_are_unrelated(
    bench: Bench,
) -> None:
    await refused_alone(bench)
    bench.clock.advance(HOUR + 1)
    assert (await refused_alone(bench, "a bird in a tree")).state is JobState.FAILED


@pytest.mark.sqlite
async def test_a_busy_provider_uses_up_no_attempt(bench: Bench) -> None:
    job = await queued(bench)
    bench.backend.refusals += [BackendError(ErrorKind.RATE, "HTTP 429")] * 3
    for _ in range(3):
        await bench.step(job.id)
    refuse(bench, 1)
    assert (await bench.step(job.id)).state is JobState.QUEUED
    assert (await bench.step(job.id)).state is JobState.GENERATING


async def test_a_restart_resets_the_count(tmp_path: Path, clock: Clock) -> None:
    backend = FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        job = await queued(bench)
        refuse(bench, 1)
        await bench.step(job.id)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        refuse(bench, 2)
        assert (await bench.step(job.id)).state is JobState.QUEUED
        assert (await bench.step(job.id)).state is JobState.FAILED
