from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.backends.echo import Echo
from bot.errors import BackendError, ErrorKind
from bot.model import JobState
from bot.pacing import PollIntervals
from bot.texts import Texts
from tests.support.fakes.backend import FakeBackend, RemoteJob
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.deliverer import FakeDeliverer

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job

DEADLINE = 1800.0
DAY = 24 * 60 * 60.0


async def pause(bench: Bench, job: Job) -> float:
    """Poll once, and return the seconds until the next poll."""
    polled = await bench.step(job.id)
    assert polled.state is JobState.GENERATING
    assert polled.next_at is not None
    return polled.next_at - bench.clock()


async def make_late(bench: Bench, *, expires_at: float | None = None) -> Job:
    """Poll a job after its deadline, at a provider that can't cancel it."""
    bench.backend.can_cancel = False
    job = await bench.at(JobState.GENERATING)
    bench.backend.only.expires_at = expires_at
    bench.clock.advance(DEADLINE)
    late = await bench.step(job.id)
    assert (late.state, late.late) == (JobState.GENERATING, True)
    return late


def test_poll_intervals_grow_up_to_a_ceiling() -> None:
    poll_intervals = PollIntervals(first=5, growth=1.5, ceiling=30)
    pauses = [poll_intervals.after(polls) for polls in range(6)]
    assert pauses == [5, 7.5, 11.25, 16.875, 25.3125, 30]


def test_a_job_that_was_polled_a_million_times_is_still_polled() -> None:
    assert PollIntervals(first=5, growth=2, ceiling=30).after(1_000_000) == 30


async def test_a_job_is_polled_at_growing_intervals(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    assert [await pause(bench, job) for _ in range(5)] == [5, 10, 20, 30, 30]
    assert bench.backend.polls == 5


@pytest.mark.parametrize("state", [RemoteState.QUEUED, RemoteState.RUNNING])
async def test_a_running_job_stores_the_progress(state: RemoteState, bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.only.state = state
    seen: list[int | None] = []
    for progress in (None, 20, 10, 60):
        bench.backend.only.progress = progress
        seen.append((await bench.step(job.id)).progress)
    assert seen == [None, 20, 20, 60]


async def test_a_completed_job_continues_immediately(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.finish()
    done = await bench.step(job.id)
    assert (done.state, done.progress) == (JobState.DOWNLOADING, 100)
    assert done.next_at == bench.clock()


@pytest.mark.parametrize("state", [RemoteState.DONE, RemoteState.FAILED])
async def test_what_the_provider_charged_is_kept_with_the_job(
    state: RemoteState, bench: Bench
) -> None:
    job = await bench.at(JobState.GENERATING)
    assert job.cost is None
    bench.backend.only.state = state
    bench.backend.only.cost = 0.81
    ended = await bench.step(job.id)
    assert ended.cost == 0.81
    if state is RemoteState.DONE:
        assert (await bench.step(job.id)).cost == 0.81


@pytest.mark.parametrize("kind", list(ErrorKind))
async def test_a_remote_failure_is_explained_by_its_kind(kind: ErrorKind, bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.only.state = RemoteState.FAILED
    bench.backend.only.error = BackendError(kind, "theirs, never shown")
    ended = await bench.step(job.id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, f"failed.{kind}")
    assert Texts.load()(ended.failure.key)


async def test_a_remote_failure_without_a_reason_is_an_internal_one(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.only.state = RemoteState.FAILED
    ended = await bench.step(job.id)
    assert ended.failure is not None
    assert ended.failure.key == "failed.internal"


async def test_a_lost_remote_job_fails_the_job_without_another_create(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.charged.clear()
    since = bench.clock()
    while (ended := await bench.step(job.id)).state is JobState.GENERATING:
        pass
    assert 540 <= bench.clock() - since <= 660
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.gone")
    assert bench.backend.posts == 1


@pytest.mark.parametrize("kind", [ErrorKind.TRANSIENT, ErrorKind.AUTH, ErrorKind.INTERNAL])
async def test_a_poll_that_fails_is_repeated(kind: ErrorKind, bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.poll_faults += [BackendError(kind, "down") for _ in range(2)]
    assert [await pause(bench, job) for _ in range(3)] == [5, 10, 20]
    bench.backend.finish()
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING


async def test_a_provider_that_asks_for_a_pause_gets_it(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.poll_faults.append(BackendError(ErrorKind.RATE, "slowly", retry_after=77))
    assert await pause(bench, job) == 77


async def test_a_provider_can_hardly_postpone_a_poll_past_the_deadline(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.poll_faults.append(BackendError(ErrorKind.RATE, "slowly", retry_after=DAY))
    assert await pause(bench, job) == 300


async def test_a_webhook_brings_the_poll_forward(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.finish()
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
    before = bench.clock()
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING
    assert bench.clock() == before


async def test_a_webhook_changes_nothing_that_the_poll_does_not_confirm(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
    assert (await bench.step(job.id)).state is JobState.GENERATING


# The deadline


async def test_just_before_its_deadline_a_job_continues(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.clock.advance(DEADLINE - 1)
    assert (await bench.step(job.id)).late is False
    assert bench.backend.cancelled == []


async def test_a_confirmed_stop_at_the_deadline_is_a_timeout(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.clock.advance(DEADLINE)
    ended = await bench.step(job.id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.timeout")
    assert bench.backend.cancelled == ["video_1"]


async def test_a_video_that_is_done_at_the_deadline_is_not_thrown_away(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.clock.advance(DEADLINE)
    bench.backend.finish()
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING
    assert bench.backend.cancelled == []


async def test_a_job_that_cant_be_stopped_is_late_and_delivered_later(bench: Bench) -> None:
    late = await make_late(bench)
    assert [await pause(bench, late) for _ in range(3)] == [300, 300, 300]
    bench.backend.finish()
    ended = await bench.run_out(late.id)
    assert ended.state is JobState.SUCCEEDED
    assert bench.deliverer.dms == {late.id: 1}
    assert bench.backend.cancelled == ["video_1"]


async def test_a_stop_that_is_refused_makes_the_job_late_too(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.cancel_faults.append(BackendError(ErrorKind.INTERNAL, "can't"))
    bench.clock.advance(DEADLINE)
    assert (await bench.step(job.id)).late


async def test_a_job_that_is_not_found_once_is_not_lost(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.GENERATING)
    gone = BackendError(ErrorKind.GONE, "not found")
    bench.backend.poll_faults.append(gone)
    assert (await bench.step(job.id)).misses == 1
    assert (await bench.step(job.id)).misses == 0
    bench.backend.poll_faults.append(gone)
    assert (await bench.step(job.id)).state is JobState.GENERATING


async def test_at_the_deadline_nothing_is_stopped_that_may_be_done_by_now(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.finish()
    bench.clock.advance(DEADLINE)
    bench.backend.poll_faults.append(BackendError(ErrorKind.RATE, "busy"))
    assert (await bench.step(job.id)).state is JobState.GENERATING
    assert bench.backend.cancelled == []
    assert (await bench.step(job.id)).state is JobState.DOWNLOADING


async def test_a_job_whose_provider_stops_answering_fails_after_a_day(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.clock.advance(DAY + DEADLINE)
    bench.backend.poll_faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
    assert (await bench.step(job.id)).state is JobState.FAILED


async def test_a_late_job_fails_after_a_day(bench: Bench) -> None:
    late = await make_late(bench)
    bench.clock.now = (late.generating_at or 0) + DAY - 1
    assert (await bench.step(late.id)).state is JobState.GENERATING
    ended = await bench.step(late.id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, "failed.timeout")
    assert bench.clock() <= (late.generating_at or 0) + DAY + 300


async def test_a_late_job_fails_when_the_provider_no_longer_finds_it(
    bench: Bench, clock: Clock
) -> None:
    late = await make_late(bench, expires_at=clock() + DEADLINE + 1000)
    polled = late
    while polled.state is JobState.GENERATING:
        polled = await bench.step(late.id)
    assert polled.failure is not None
    assert polled.failure.key == "failed.timeout"
    assert DEADLINE + 1000 <= clock() - (late.generating_at or 0) <= DEADLINE + 1300


@pytest.mark.parametrize("behind", [7 * 3600, -7 * 3600])
async def test_a_late_job_is_polled_for_as_long_as_the_provider_keeps_it_by_its_own_clock(
    bench: Bench, clock: Clock, behind: float
) -> None:
    late = await make_late(bench)
    bench.backend.clock = Clock(clock() - behind)
    bench.backend.only.expires_at = bench.backend.clock() + 1000
    assert (await bench.step(late.id)).state is JobState.GENERATING
    bench.backend.clock.advance(1000)
    assert (await bench.step(late.id)).state is JobState.FAILED


async def test_a_late_job_that_can_not_be_polled_fails_too(bench: Bench) -> None:
    late = await make_late(bench)
    bench.clock.advance(DAY)
    bench.backend.poll_faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
    assert (await bench.step(late.id)).state is JobState.FAILED


async def test_lateness_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    backend, deliverer = FakeBackend(clock), FakeDeliverer()
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        late = await make_late(bench)
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        assert (await bench.step(late.id)).late
        assert backend.cancelled == ["video_1"]
        backend.finish()
        assert (await bench.run_out(late.id)).state is JobState.SUCCEEDED


class UndatedBackend(FakeBackend):
    """Reports the time of each answer as the creation, in answers without a `Date`."""

    def _echo(self, job: RemoteJob) -> Echo:
        return Echo(seconds=job.request.seconds, created_at=self.clock() + 3600)


async def test_a_creation_that_is_the_time_of_each_undated_answer_proves_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, backend=UndatedBackend(clock)) as bench:
        job = await bench.at(JobState.GENERATING)
        clock.advance(600)
        bench.backend.finish()
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


async def test_an_undated_answer_of_a_moment_ago_is_still_that_of_the_job(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, backend=UndatedBackend(clock)) as bench:
        job = await bench.at(JobState.GENERATING)
        clock.advance(600)
        bench.backend.finish()
        await bench.step(job.id)
        clock.advance(20)
        assert (await bench.step(job.id)).state is JobState.MERGING


async def test_a_job_whose_creation_is_the_time_of_each_undated_answer_can_be_cancelled(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, backend=UndatedBackend(clock)) as bench:
        job = await bench.at(JobState.GENERATING)
        clock.advance(600)
        await bench.jobs.cancel(job.id)
        await bench.run_out(job.id)
        assert bench.backend.cancelled == [job.remote_id]


async def test_a_later_creation_in_an_undated_answer_is_that_of_another_job(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, backend=UndatedBackend(clock)) as bench:
        job = await bench.at(JobState.GENERATING)
        clock.advance(600)
        bench.backend.clock = Clock(clock())
        bench.backend.finish()
        clock.advance(60)
        assert (await bench.run_out(job.id)).state is JobState.FAILED
