from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    BackendError,
    DeliveryError,
    ErrorKind,
    FileStoreError,
    MediaError,
    UnconfirmedSubmitError,
)
from bot.jobs.waits.step_retries import StepRetries
from bot.jobs.worker import Lane, Worker, make_lanes
from bot.model import JobState
from bot.texts import Texts
from storage.errors import StorageError
from tests.support.fakes.backend import CLIP, FakeBackend
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import PATIENCE, Clock
from tests.support.fakes.deliverer import FakeDeliverer
from tests.support.fakes.orders import REQUEST, VOICE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.model import Job

UNPAID = [JobState.RECEIVED, JobState.QUEUED]
PAID = [
    JobState.GENERATING,
    JobState.DOWNLOADING,
    JobState.MERGING,
    JobState.DELIVERING,
    JobState.NOTIFYING,
]


class Step:
    """A step that signals its start, and waits until the test releases it."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.started: asyncio.Queue[str] = asyncio.Queue()
        self.open = asyncio.Event()
        self.open.set()
        self.running = 0
        self.most = 0
        self.cancelled: list[str] = []

    async def __call__(self, job: Job) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        self.started.put_nowait(job.id)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(job.id)
            raise
        finally:
            self.running -= 1
        if self.faults:
            raise self.faults.pop(0)

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self.started.get()


class Moving(Step):
    """A step that moves its job to the next state."""

    def __init__(self, bench: Bench, to: JobState) -> None:
        super().__init__()
        self._bench = bench
        self._to = to

    async def __call__(self, job: Job) -> None:
        await super().__call__(job)
        await self._bench.jobs.move(job, self._to)


@asynccontextmanager
async def running(*workers: Worker, grace: float = PATIENCE) -> AsyncGenerator[None]:
    """Run workers, and stop them on exit."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        await asyncio.gather(*(worker.stop(grace=grace) for worker in workers))
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*tasks)


def worker_of(bench: Bench, step: Step, state: JobState, *, slots: int = 4) -> Worker:
    worker = bench.worker(Lane(name="test", steps={state: step}, slots=slots))
    bench.bus.subscribe(worker.on_job_changed)
    return worker


@pytest.fixture
def lane_workers(bench: Bench) -> list[Worker]:
    return workers_of(bench)


def workers_of(bench: Bench) -> list[Worker]:
    """Build the app's lanes, subscribed to the bus."""
    workers = [bench.worker(lane) for lane in make_lanes(bench.lane.steps)]
    for worker in workers:
        bench.bus.subscribe(worker.on_job_changed)
    return workers


async def test_jobs_run_from_the_command_to_the_video_by_themselves(
    bench: Bench, lane_workers: list[Worker]
) -> None:
    bench.backend.finish()
    async with running(*lane_workers):
        jobs = [
            await bench.submit(replace(REQUEST, prompt=f"cat {number}"), attachment=VOICE)
            for number in range(20)
        ]
        await bench.until(
            lambda: [change.job.state for change in bench.changes].count(JobState.SUCCEEDED) == 20
        )
    assert bench.deliverer.dms == dict.fromkeys((job.id for job in jobs), 1)
    assert len(bench.backend.charged) == 20
    for job in jobs:
        ref = (await bench.now(job.id)).remote_id or ""
        assert bench.workspace.video(job.id).read_bytes() == CLIP + ref.encode() + b" with voice"


async def test_a_video_that_is_ready_does_not_wait_for_one_that_is_being_encoded(
    bench: Bench, lane_workers: list[Worker]
) -> None:
    bench.editor.works.clear()
    slow = await bench.at(JobState.MERGING, attachment=VOICE)
    await bench.at(JobState.MERGING)
    async with running(*lane_workers):
        await bench.until(lambda: bench.changed_to(JobState.SUCCEEDED))
        assert (await bench.now(slow.id)).state is JobState.MERGING
        bench.editor.works.set()


@pytest.mark.parametrize("state", [JobState.RECEIVED, JobState.QUEUED, *PAID])
async def test_workers_resume_every_due_state_after_a_restart(
    state: JobState, tmp_path: Path, clock: Clock
) -> None:
    backend, deliverer = FakeBackend(clock), FakeDeliverer()
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        job = await bench.at(state)
        await bench.claim(job.id)
        backend.finish()
    async with (
        open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench,
        running(*workers_of(bench)),
    ):
        await bench.until(lambda: bench.changed_to(JobState.SUCCEEDED))
    assert deliverer.dms == {job.id: 1}
    assert len(backend.charged) == 1


def test_every_state_with_a_step_has_a_lane(bench: Bench) -> None:
    lanes = make_lanes(bench.lane.steps)
    for narrated in (False, True):
        own = [lane for lane in lanes if lane.narrated in {None, narrated}]
        states = [state for lane in own for state in lane.steps]
        assert sorted(states) == sorted(set(JobState) - {JobState.SUCCEEDED})


def test_the_states_around_the_post_share_a_lane_and_unconfirmed_has_its_own(bench: Bench) -> None:
    # A lane excludes the jobs that it is running; another lane would claim a job during its POST.
    # An unconfirmed job is due only after its POST has ended.
    lanes = make_lanes(bench.lane.steps)
    (lane,) = [lane for lane in lanes if JobState.QUEUED in lane.steps]
    assert set(lane.steps) == {JobState.QUEUED, JobState.SUBMITTING}
    (lane,) = [lane for lane in lanes if JobState.UNCONFIRMED in lane.steps]
    assert set(lane.steps) == {JobState.UNCONFIRMED}


async def test_a_job_whose_post_is_running_is_not_treated_as_unconfirmed(
    bench: Bench, lane_workers: list[Worker]
) -> None:
    bench.backend.answer.clear()
    async with running(*lane_workers):
        job = await bench.submit()
        async with asyncio.timeout(PATIENCE):
            await bench.backend.in_submit.wait()
        for worker in lane_workers:
            worker.on_job_changed(bench.changes[-1])
        other = await bench.submit(acknowledged=False)
        await bench.jobs.acknowledge(other.id, 5)
        await bench.until(
            lambda: any(
                change.job.id == other.id and change.job.state is JobState.QUEUED
                for change in bench.changes
            )
        )
        assert (await bench.now(job.id)).state is JobState.SUBMITTING
        bench.backend.answer.set()
        await bench.until(lambda: bench.changed_to(JobState.GENERATING))
    assert bench.backend.posts >= 1
    assert not bench.changed_to(JobState.UNCONFIRMED)


async def test_no_more_steps_run_at_once_than_there_are_slots(bench: Bench) -> None:
    step = Moving(bench, JobState.QUEUED)
    step.open.clear()
    for _ in range(9):
        await bench.submit()
    async with running(worker_of(bench, step, JobState.RECEIVED, slots=3)):
        for _ in range(3):
            await step.next()
        assert step.started.empty()
        step.open.set()
        for _ in range(6):
            await step.next()
    assert step.most == 3


async def test_one_job_is_never_in_two_steps(bench: Bench) -> None:
    step = Step()
    step.open.clear()
    job = await bench.submit()
    async with running(worker_of(bench, step, JobState.RECEIVED), grace=0):
        assert await step.next() == job.id
        # It is always due, and each new job wakes the lane.
        for _ in range(3):
            other = await bench.submit()
            assert await step.next() == other.id


async def test_waiting_jobs_cost_no_task(bench: Bench) -> None:
    for _ in range(200):
        await bench.submit(acknowledged=False)
    step = Moving(bench, JobState.QUEUED)
    async with running(worker_of(bench, step, JobState.RECEIVED)):
        due = await bench.submit()
        assert await step.next() == due.id
        await bench.until(lambda: bench.changed_to(JobState.QUEUED))
        # The tasks of pytest and the worker, and at most one that is ending.
        assert len(asyncio.all_tasks()) <= 3


async def test_a_change_wakes_an_idle_lane(bench: Bench) -> None:
    step = Moving(bench, JobState.QUEUED)
    async with running(worker_of(bench, step, JobState.RECEIVED)):
        for _ in range(3):
            async with asyncio.timeout(4):  # without a wake-up, it would check after five seconds
                job = await bench.submit()
                assert await step.next() == job.id


async def test_a_job_is_run_at_its_time_without_a_wake_up_of_the_lane(
    tmp_path: Path,
) -> None:
    async with open_bench(tmp_path, TickingClock()) as bench:
        job = await bench.submit()
        claimed = await bench.claim(job.id)
        await bench.jobs.postpone(claimed, after=0.05)
        step = Moving(bench, JobState.QUEUED)
        worker = bench.worker(Lane(name="test", steps={JobState.RECEIVED: step}, slots=1))
        async with running(worker):
            assert await step.next() == job.id


async def run_once(bench: Bench, job: Job, *faults: Exception) -> Job:
    """Have a worker run a failing step of a job, and return the job afterwards."""
    step = Step(*faults)
    worker = worker_of(bench, step, job.state)
    bench.clock.now = max(bench.clock.now, job.next_at or 0)
    before = len(bench.changes)
    async with running(worker):
        await step.next()
        await bench.until(lambda: len(bench.changes) > before)
    return await bench.now(job.id)


@pytest.mark.parametrize(
    ("fault", "delay"),
    [
        (DeliveryError("down"), 2),
        (MediaError("odd"), 2),
        (ZeroDivisionError(), 2),
        (BackendError(ErrorKind.TRANSIENT, "down"), 2),
        (BackendError(ErrorKind.RATE, "slowly", retry_after=40), 40),
        (BackendError(ErrorKind.RATE, "slowly", retry_after=1e9), 300),
    ],
)
@pytest.mark.parametrize("state", [JobState.RECEIVED, JobState.DOWNLOADING])
async def test_a_step_that_fails_is_run_again_later(
    fault: Exception, delay: float, state: JobState, bench: Bench
) -> None:
    job = await bench.at(state)
    later = await run_once(bench, job, fault)
    assert (later.state, later.attempts) == (state, 1)
    assert later.next_at == bench.clock() + delay


async def test_a_step_that_keeps_failing_is_run_ever_slower(bench: Bench) -> None:
    job = await bench.at(JobState.DELIVERING)
    delays: list[float] = []
    for _ in range(10):
        job = await run_once(bench, job, DeliveryError("down"))
        delays.append((job.next_at or 0) - bench.clock())
    assert delays == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


async def test_retries_are_spread(bench: Bench) -> None:
    job = await bench.at(JobState.DELIVERING)
    step = Step(DeliveryError("down"))
    lane = Lane(name="test", steps={job.state: step}, slots=1)
    worker = Worker(bench.queue, lane, StepRetries(bench.jobs, bench.holds, jitter=lambda: 0.5))
    before = len(bench.changes)
    async with running(worker):
        await bench.until(lambda: len(bench.changes) > before)
    assert (await bench.now(job.id)).next_at == bench.clock() + 3


async def test_a_narration_waits_for_a_store_that_is_away(bench: Bench) -> None:
    job = await bench.at(JobState.RECEIVED)
    for _ in range(10):
        job = await run_once(bench, job, FileStoreError("the store can't be reached"))
    assert job.state is JobState.RECEIVED


@pytest.mark.parametrize("state", UNPAID)
async def test_a_bug_before_anything_was_paid_fails_the_job(state: JobState, bench: Bench) -> None:
    job = await bench.at(state)
    for _ in range(5):
        assert job.state is state
        job = await run_once(bench, job, ZeroDivisionError())
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert (job.failure.key, job.failure.fields) == ("failed.bug", {"incident": job.id})
    assert Texts.load()(job.failure.key, "en", **job.failure.fields)
    assert bench.backend.posts == 0


async def test_an_outage_of_discord_fails_no_job(bench: Bench) -> None:
    job = await bench.at(JobState.RECEIVED)
    for _ in range(10):
        job = await run_once(bench, job, DeliveryError("Discord answered 503"))
    assert job.state is JobState.RECEIVED


@pytest.mark.parametrize("state", PAID)
async def test_a_bug_after_the_payment_is_retried_without_end(
    state: JobState, bench: Bench
) -> None:
    job = await bench.at(state)
    claimed = await bench.claim(job.id)
    await bench.jobs.postpone(claimed, after=0, attempts=5000)
    later = await run_once(bench, await bench.now(job.id), ZeroDivisionError())
    assert (later.state, later.attempts) == (state, 5001)
    assert later.next_at == bench.clock() + 300


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.UNDECIDED])
async def test_a_final_state_that_can_not_be_shown_is_released_after_a_day(
    state: JobState, bench: Bench
) -> None:
    job = await bench.at(state)
    claimed = await bench.claim(job.id)
    await bench.jobs.postpone(claimed, after=0, attempts=298)
    job = await run_once(bench, await bench.now(job.id), DeliveryError("gone"))
    assert job.next_at is not None
    bench.clock.now = job.next_at
    step = Step(DeliveryError("gone"))
    async with running(worker_of(bench, step, state)):
        await step.next()
    assert (await bench.now(job.id)).next_at is None


async def test_a_bug_is_logged_with_the_job(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    job = await bench.at(JobState.DELIVERING)
    await run_once(bench, job, ZeroDivisionError())
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert job.id in record.getMessage()
    assert record.exc_info is not None


# Stopping


async def test_stopping_waits_for_running_steps(bench: Bench) -> None:
    step = Moving(bench, JobState.QUEUED)
    step.open.clear()
    job = await bench.submit()
    worker = worker_of(bench, step, JobState.RECEIVED)
    run = asyncio.create_task(worker.run())
    await step.next()
    stop = asyncio.create_task(worker.stop(grace=PATIENCE))
    await run
    assert not stop.done()
    step.open.set()
    await stop
    assert step.cancelled == []
    assert (await bench.now(job.id)).state is JobState.QUEUED


async def test_a_step_that_outlasts_the_grace_period_is_cancelled_and_resumable(
    bench: Bench,
) -> None:
    step = Step()
    step.open.clear()
    job = await bench.submit()
    async with running(worker_of(bench, step, JobState.RECEIVED), grace=0):
        await step.next()
    assert step.cancelled == [job.id]
    assert (await bench.step(job.id)).state is JobState.QUEUED


async def test_a_post_that_outlasts_the_grace_is_looked_up_after_the_restart(
    bench: Bench, lane_workers: list[Worker]
) -> None:
    bench.backend.answer.clear()
    async with running(*lane_workers, grace=0):
        job = await bench.submit()
        async with asyncio.timeout(PATIENCE):
            await bench.backend.in_submit.wait()
    assert (await bench.now(job.id)).state is JobState.SUBMITTING
    bench.backend.answer.set()
    bench.backend.finish()
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.backend.posts == 1


async def test_an_idle_worker_stops_at_once(bench: Bench) -> None:
    async with running(worker_of(bench, Step(), JobState.RECEIVED)):
        pass


async def test_a_job_that_is_claimed_while_the_worker_stops_is_not_started(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.submit()
    claim = bench.due_jobs.claim
    step = Step()
    worker = worker_of(bench, step, JobState.RECEIVED)

    async def claim_late(*args: object, **more: object) -> list[Job]:
        jobs = await claim(*args, **more)  # pyright: ignore[reportArgumentType] - passed on
        await worker.stop(grace=0)
        return jobs

    monkeypatch.setattr(bench.due_jobs, "claim", claim_late)
    async with asyncio.timeout(PATIENCE):
        await worker.run()
    assert step.started.empty()
    assert len(asyncio.all_tasks()) == 1


# Database errors


@pytest.mark.usefixtures("_on_each_database")
async def test_a_database_that_fails_does_not_end_a_lane(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    job = await bench.submit()
    step = Moving(bench, JobState.QUEUED)
    worker = worker_of(bench, step, JobState.RECEIVED)
    failing = Noticed()
    logging.getLogger("bot.jobs.worker").addHandler(failing)
    try:
        async with bench.unwritable():
            run = asyncio.create_task(worker.run())
            async with asyncio.timeout(PATIENCE):
                await failing.event.wait()
        worker.on_job_changed(bench.changes[-1])
        assert await step.next() == job.id
        await worker.stop(grace=PATIENCE)
        await run
    finally:
        logging.getLogger("bot.jobs.worker").removeHandler(failing)
    assert "worker.database_failed" in caplog.text
    assert (await bench.now(job.id)).state is JobState.QUEUED


@pytest.mark.usefixtures("_on_each_database")
@pytest.mark.parametrize("fault", [StorageError("disk full"), ZeroDivisionError()])
async def test_a_step_that_cant_be_saved_leaves_its_job_due(
    fault: Exception, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    job = await bench.submit()
    step = Step(fault)
    step.open.clear()
    failing = Noticed()
    logging.getLogger("bot.jobs.worker").addHandler(failing)
    try:
        async with running(worker_of(bench, step, JobState.RECEIVED), grace=0):
            await step.next()
            async with bench.unwritable():
                step.open.set()
                async with asyncio.timeout(PATIENCE):
                    while "job.step_unsaved" not in caplog.text:
                        failing.event.clear()
                        await failing.event.wait()
    finally:
        logging.getLogger("bot.jobs.worker").removeHandler(failing)
    left = await bench.now(job.id)
    assert (left.state, left.attempts) == (JobState.RECEIVED, 0)
    assert (left.next_at or 0) <= bench.clock()


@pytest.mark.usefixtures("_on_each_database")
async def test_a_full_disk_prevents_the_post(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    claimed = await bench.claim(job.id)
    async with bench.unwritable():
        with pytest.raises(StorageError):
            await bench.pipeline.steps[JobState.QUEUED](claimed)
    assert bench.backend.posts == 0


@pytest.mark.usefixtures("_on_each_database")
async def test_an_answer_that_cant_be_saved_is_looked_up_not_repeated(
    bench: Bench, lane_workers: list[Worker]
) -> None:
    bench.backend.answer.clear()
    async with running(*lane_workers, grace=0):
        job = await bench.submit()
        async with asyncio.timeout(PATIENCE):
            await bench.backend.in_submit.wait()
        async with bench.unwritable():
            bench.backend.answer.set()
            failing = Noticed()
            logging.getLogger("bot.jobs.worker").addHandler(failing)
            async with asyncio.timeout(PATIENCE):
                await failing.event.wait()
            logging.getLogger("bot.jobs.worker").removeHandler(failing)
    bench.backend.finish()
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.backend.posts == 1


async def test_an_unconfirmed_create_does_not_run_the_step_again(
    bench: Bench, lane_workers: list[Worker]
) -> None:
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    async with running(*lane_workers):
        job = await bench.submit()
        await bench.until(lambda: bench.changed_to(JobState.UNCONFIRMED))
    assert bench.backend.posts == 1
    assert (await bench.now(job.id)).next_at == bench.clock() + 180


class Noticed(logging.Handler):
    """Sets an event for each logged error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        del record
        self.event.set()


class TickingClock(Clock):
    """A clock that advances with the event loop's."""

    def __call__(self) -> float:
        return self.now + asyncio.get_running_loop().time()
