"""The circuit breaker: refusals pause the queue, probes test it, and a success resumes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, Trouble, UnconfirmedSubmitError
from bot.jobs.circuit_breaker import CircuitBreaker
from bot.model import JobState
from storage.jobs.circuits import CircuitStore
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import ALL_STATES, Bench, open_bench
from tests.support.fakes.orders import REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job
    from storage.jobs.circuits import Circuit
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_on_each_database")

TROUBLES = {
    ErrorKind.AUTH: Trouble.AUTH,
    ErrorKind.BALANCE: Trouble.BALANCE,
    ErrorKind.SETUP: Trouble.SETUP,
    ErrorKind.TRANSIENT: Trouble.OUTAGE,
}
DAY = 24 * 60 * 60


def refuse(bench: Bench, kind: ErrorKind = ErrorKind.AUTH, times: int = 1) -> None:
    """Have the provider refuse the next creates."""
    bench.backend.refusals += [BackendError(kind, "no") for _ in range(times)]


async def line_up(bench: Bench, jobs: int) -> list[Job]:
    """Queue jobs whose videos take a while."""
    line = [await bench.at(JobState.QUEUED) for _ in range(jobs)]
    bench.backend.made = RemoteState.RUNNING
    return line


async def work(bench: Bench) -> list[Job]:
    """Claim jobs and run their steps until none is due; return the jobs in that order."""
    done: list[Job] = []
    while jobs := await bench.queue.claim(ALL_STATES, running=(), limit=1):
        for job in jobs:
            await bench.lane.steps[job.state](job)
        done += jobs
    return done


async def open_circuit(bench: Bench, kind: ErrorKind = ErrorKind.AUTH, jobs: int = 3) -> list[Job]:
    """Queue jobs and have the first three refused, which opens the circuit."""
    line = await line_up(bench, jobs)
    refuse(bench, kind, 3)
    await work(bench)
    assert (await circuit(bench)).is_open
    return line


async def circuit(bench: Bench) -> Circuit:
    found = await bench.circuits.get(bench.backend.name)
    assert found is not None
    return found


async def to_probe(bench: Bench) -> list[Job]:
    """Advance the clock until a probe is due."""
    bench.clock.now = max(bench.clock.now, (await circuit(bench)).probe_at)
    return await work(bench)


async def states(bench: Bench, jobs: list[Job]) -> set[JobState]:
    return {(await bench.now(job.id)).state for job in jobs}


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", TROUBLES)
async def test_a_refused_key_or_an_empty_balance_fails_no_queued_job(
    kind: ErrorKind, bench: Bench
) -> None:
    line = await open_circuit(bench, kind, jobs=5)
    assert bench.backend.posts == 3
    assert await states(bench, line) == {JobState.QUEUED}
    assert (await circuit(bench)).reason is TROUBLES[kind]
    for job in line:
        assert (await bench.now(job.id)).submitted_at is None
    bench.clock.advance(29)
    assert await work(bench) == []
    assert bench.backend.posts == 3


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", [ErrorKind.MODERATED, ErrorKind.INVALID, ErrorKind.RATE])
async def test_a_refusal_of_one_job_does_not_delay_the_others(
    kind: ErrorKind, bench: Bench
) -> None:
    line = await line_up(bench, 5)
    refuse(bench, kind, 4)
    await work(bench)
    assert await bench.circuits.get(bench.backend.name) is None
    assert (await bench.now(line[-1].id)).state is JobState.GENERATING


@pytest.mark.sqlite
async def test_a_success_in_between_resets_the_count(bench: Bench) -> None:
    for _ in range(3):
        refuse(bench, times=2)
        job = await bench.at(JobState.QUEUED)
        assert (await bench.step(job.id)).state is JobState.QUEUED
        assert (await bench.step(job.id)).state is JobState.QUEUED
        assert (await bench.step(job.id)).state is JobState.GENERATING
    assert (await circuit(bench)).state == "counting"


async def test_one_job_at_a_time_is_the_probe_and_each_in_order(bench: Bench) -> None:
    line = await open_circuit(bench, jobs=4)
    refuse(bench, times=20)
    tried = [(await to_probe(bench))[0].id for _ in range(8)]
    assert bench.backend.posts == 3 + 8
    # First the jobs that were never tried, then those whose last attempt is the oldest.
    assert tried == [job.id for job in (line[3], *line[:3])] * 2


@pytest.mark.sqlite
async def test_the_pauses_between_probes_grow_to_a_quarter_of_an_hour(bench: Bench) -> None:
    await open_circuit(bench)
    refuse(bench, times=20)
    pauses: list[float] = []
    for _ in range(8):
        pauses.append((await circuit(bench)).probe_at - bench.clock())
        assert len(await to_probe(bench)) == 1
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]


async def test_a_success_resumes_all_jobs_and_is_published(bench: Bench) -> None:
    line = await open_circuit(bench, jobs=5)
    bench.changes.clear()
    await to_probe(bench)
    assert await states(bench, line) == {JobState.GENERATING}
    assert len(bench.backend.charged) == 5
    assert (await circuit(bench)).state == "over"
    changed = [change.job.id for change in bench.changes if change.outlook_only]
    assert len(changed) == 4


@pytest.mark.sqlite
async def test_queued_jobs_are_published_when_the_circuit_opens_or_its_reason_changes(
    bench: Bench,
) -> None:
    line = await open_circuit(bench, jobs=4)
    changed = {change.job.id for change in bench.changes if change.outlook_only}
    assert changed == {job.id for job in line}
    bench.changes.clear()
    refuse(bench, ErrorKind.BALANCE)
    await to_probe(bench)
    assert (await circuit(bench)).reason is Trouble.BALANCE
    assert {change.job.id for change in bench.changes if change.outlook_only} == changed
    bench.changes.clear()
    refuse(bench, ErrorKind.BALANCE)
    await to_probe(bench)
    assert not [change for change in bench.changes if change.outlook_only]


@pytest.mark.sqlite
async def test_answers_to_creates_before_the_circuit_opened_delay_no_probe(bench: Bench) -> None:
    await open_circuit(bench)
    before = await circuit(bench)
    await bench.circuit.refused(Trouble.OUTAGE, probing=False)
    assert await circuit(bench) == before


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("kind", "pause"), [(ErrorKind.MODERATED, 0), (ErrorKind.INVALID, 0), (ErrorKind.RATE, 60)]
)
async def test_a_probe_that_concerns_only_its_job_is_repeated_with_another_job(
    kind: ErrorKind, pause: float, bench: Bench
) -> None:
    await open_circuit(bench)
    refuse(bench, kind)
    refuse(bench, ErrorKind.AUTH)
    bench.clock.now = (await circuit(bench)).probe_at
    [tried] = await bench.queue.claim(ALL_STATES, running=(), limit=1)
    await bench.lane.steps[tried.state](tried)
    assert (await circuit(bench)).probe_at == bench.clock() + pause
    assert (await circuit(bench)).is_open
    other = next(job for job in await to_probe(bench) if job.state is JobState.QUEUED)
    assert other.id != tried.id


@pytest.mark.sqlite
async def test_creates_without_an_answer_pause_the_queue_and_remain_unconfirmed(
    bench: Bench,
) -> None:
    bench.backend.lost_answers += [UnconfirmedSubmitError("500") for _ in range(3)]
    line = [await bench.submit(replace(REQUEST, prompt=f"cat {name}")) for name in "abcd"]
    await work(bench)
    assert bench.backend.posts == 3
    assert [(await bench.now(job.id)).state for job in line] == [
        *[JobState.UNCONFIRMED] * 3,
        JobState.QUEUED,
    ]
    assert (await circuit(bench)).reason is Trouble.OUTAGE


async def test_several_jobs_that_are_claimed_at_once_are_one_probe(bench: Bench) -> None:
    await open_circuit(bench, jobs=5)
    refuse(bench, times=5)
    bench.clock.now = (await circuit(bench)).probe_at
    claimed = await bench.queue.claim(ALL_STATES, running=(), limit=4)
    for job in claimed:
        await bench.lane.steps[job.state](job)
    assert (len(claimed), bench.backend.posts) == (4, 3 + 1)


async def test_a_job_that_must_not_be_sent_releases_the_probe(bench: Bench) -> None:
    await open_circuit(bench)
    bench.clock.now = (await circuit(bench)).probe_at
    [claimed] = await bench.queue.claim(ALL_STATES, running=(), limit=1)
    await bench.jobs.cancel(claimed.id)
    await bench.lane.steps[JobState.QUEUED](claimed)
    assert bench.backend.posts == 3
    assert (await circuit(bench)).probe_at == bench.clock()


async def test_a_probe_that_would_be_sent_too_late_releases_the_probe(bench: Bench) -> None:
    await open_circuit(bench)
    bench.pause_after_intent(60)
    bench.clock.now = (await circuit(bench)).probe_at
    [probe] = await bench.queue.claim(ALL_STATES, running=(), limit=1)
    await bench.lane.steps[JobState.QUEUED](probe)
    assert bench.backend.posts == 3
    assert (await circuit(bench)).probe_at == bench.clock()


@pytest.mark.sqlite
async def test_after_a_day_a_job_fails_with_nothing_spent(bench: Bench) -> None:
    line = await open_circuit(bench)
    refuse(bench, times=1000)
    while bench.clock() < (await circuit(bench)).opened_at + DAY:
        assert await states(bench, line) == {JobState.QUEUED}
        await to_probe(bench)
    for job in line:
        ended = await bench.run_out(job.id)
        assert ended.failure is not None
        assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.unavailable")
        assert (ended.submitted_at, ended.remote_id) == (None, None)
    assert bench.backend.charged == {}


@pytest.mark.sqlite
async def test_a_job_that_is_created_later_waits_its_own_day(bench: Bench) -> None:
    await open_circuit(bench)
    bench.clock.advance(DAY - 60)
    late = await bench.at(JobState.QUEUED)
    refuse(bench, times=1000)
    bench.clock.advance(120)
    await work(bench)
    assert (await bench.now(late.id)).state is JobState.QUEUED


async def test_the_queue_is_still_paused_after_a_restart_and_a_probe_is_due(
    tmp_path: Path, clock: Clock
) -> None:
    backend = FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        line = await open_circuit(bench, jobs=5)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        assert await work(bench) == []
        refuse(bench)
        await bench.circuit.resume()
        assert len(await work(bench)) == 1
        assert await states(bench, line) == {JobState.QUEUED}
    clock.advance(10)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        await bench.circuit.resume()
        await work(bench)
        assert await states(bench, line) == {JobState.GENERATING}


async def test_a_probe_that_a_crash_interrupts_is_unconfirmed_and_delays_the_next(
    tmp_path: Path, clock: Clock
) -> None:
    backend = FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        line = await open_circuit(bench)
        clock.now = (await circuit(bench)).probe_at
        [tried] = await bench.queue.claim(ALL_STATES, running=(), limit=1)
        await bench.circuit.admit(tried)
        await bench.jobs.begin_submit(tried)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        await work(bench)
        assert (await bench.now(tried.id)).state is JobState.UNCONFIRMED
        assert backend.posts == 3
        others = [job for job in line if job.id != tried.id]
        assert await states(bench, others) == {JobState.QUEUED}


@pytest.mark.sqlite
async def test_another_backend_is_not_paused(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock) as bench:
        line = await open_circuit(bench)
    clock.advance(10)
    other = FakeBackend(clock, name="other")
    async with open_bench(tmp_path, clock, backend=other) as bench:
        await work(bench)
        assert await states(bench, line) == {JobState.GENERATING}


async def test_a_job_that_needs_no_provider_is_not_paused(bench: Bench) -> None:
    done = await bench.at(JobState.SUCCEEDED)
    await open_circuit(bench)
    again = await bench.submit(clip_of=done.id)
    await work(bench)
    assert (await bench.now(again.id)).state is JobState.SUCCEEDED


@pytest.mark.sqlite
async def test_jobs_in_a_paused_queue_are_not_due_and_wake_no_lane(bench: Bench) -> None:
    await open_circuit(bench)
    assert await bench.queue.seconds_until_due([JobState.QUEUED], running=()) is None
    bench.clock.now = (await circuit(bench)).probe_at
    assert await bench.queue.seconds_until_due([JobState.QUEUED], running=()) == 0


async def test_each_change_is_one_line_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.jobs.circuit_breaker")
    await open_circuit(bench)
    refuse(bench, times=3)
    for _ in range(4):
        await to_probe(bench)
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name == "bot.jobs.circuit_breaker"
    ]
    assert lines == [
        "circuit.opened backend=fake reason=auth refusals=3",
        "circuit.closed backend=fake reason=auth probes=4 seconds=450",
    ]


@pytest.mark.sqlite
async def test_a_breaker_without_a_circuit_has_nothing_to_resume(bench: Bench) -> None:
    breaker = CircuitBreaker(
        CircuitStore(bench.database), bench.jobs, backend="fake", clock=bench.clock
    )
    await breaker.resume()
    await breaker.accepted()
    assert await bench.circuits.get("fake") is None
