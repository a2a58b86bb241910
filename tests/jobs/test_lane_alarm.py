"""A lane wakes when one of its jobs is due, and asks the database for no more than it must."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import BackendError, ErrorKind, Trouble
from bot.jobs.waits.lane_alarm import LaneAlarm
from bot.jobs.waits.pause_watch import PauseWatch
from bot.jobs.worker import Lane, make_lanes
from bot.model import JobState
from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, Change, Setting
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.loop_time import let_pass
from tests.support.statements import recorded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.jobs.worker import Worker
    from bot.model import Job
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock


# The lanes look at the table whenever the loop's time is a multiple of five seconds.
LOOK_SECONDS = 5.0
WITHOUT_A_LOOK = 4.0


def stopping_lane(bench: Bench, state: JobState, started: asyncio.Queue[str]) -> Lane:
    """Return a lane that cancels the jobs in one state."""

    async def stop(job: Job) -> None:
        await bench.jobs.move(job, JobState.CANCELLED)
        started.put_nowait(job.id)

    return Lane(name="test", steps={state: stop}, slots=4)


async def settle(bench: Bench) -> None:
    """Wait until the lanes have run the statements of their look."""
    for _ in range(20):
        await bench.database.rows("SELECT 1", {})


@asynccontextmanager
async def running(bench: Bench, *lanes: Lane) -> AsyncGenerator[list[Worker]]:
    """Run the lanes' workers until the block ends. Their next look is five seconds away."""
    let_pass(LOOK_SECONDS - asyncio.get_running_loop().time() % LOOK_SECONDS)
    workers = [bench.worker(lane) for lane in lanes]
    for worker in workers:
        bench.bus.subscribe(worker.on_job_changed)
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield workers
    finally:
        await asyncio.gather(*(worker.stop(grace=PATIENCE) for worker in workers))
        await asyncio.gather(*tasks)


async def test_a_job_wakes_only_the_lanes_that_run_its_steps(bench: Bench) -> None:
    bench.backend.finish()
    lanes = make_lanes(bench.lane.steps)
    async with running(bench, *lanes):
        async with recorded(bench.database) as first_look:
            await bench.submit()
            await bench.until(lambda: bench.changed_to(JobState.SUCCEEDED))
        bench.changes.clear()
        async with recorded(bench.database) as statements:
            await bench.submit()
            await bench.until(lambda: bench.changed_to(JobState.SUCCEEDED))
    assert len(first_look) > len(statements)
    claims = [each for each in statements if "UPDATE jobs SET epoch = epoch + 1" in each]
    claimed = 3  # queued (with submitting) until there is none; other steps start with the change
    assert len(claims) <= claimed + 2, "\n".join(each[:200] for each in claims)
    assert sum("SELECT min(due)" in each for each in statements) <= 2


async def test_lanes_without_due_jobs_claim_nothing(bench: Bench) -> None:
    lanes = make_lanes(bench.lane.steps)
    async with recorded(bench.database) as statements, running(bench, *lanes) as workers:
        for worker in workers:
            worker.pause_discord()
            worker.resume_discord()
        await settle(bench)
    assert any("SELECT min(due)" in each for each in statements)
    assert not any("UPDATE jobs" in each for each in statements)


class MovedJobs:
    """Moves jobs to one state, whose step records each start and waits for `may_end`."""

    def __init__(self, bench: Bench, state: JobState) -> None:
        self._bench = bench
        self._state = state
        self.started: list[Job] = []
        self.ended = 0
        self.may_end = asyncio.Event()

    def lane(self, *, slots: int = 4) -> Lane:
        steps = {self._state: self._step}
        return Lane(name="test", steps=steps, slots=slots, needs_discord=True)

    async def move(self, *jobs: Job) -> list[Job]:
        moving = [self._bench.jobs.move(job, self._state) for job in jobs]
        return [moved for moved in await asyncio.gather(*moving) if moved is not None]

    async def _step(self, job: Job) -> None:
        self.started.append(job)
        await self.may_end.wait()
        self.ended += 1
        await self._bench.jobs.move(job, JobState.CANCELLED)


async def test_a_job_that_was_moved_starts_without_a_claim(bench: Bench) -> None:
    moved_jobs = MovedJobs(bench, JobState.DELIVERING)
    async with running(bench, moved_jobs.lane()):
        job = await bench.at(JobState.MERGING)
        moved = await moved_jobs.move(job)
        moved_jobs.may_end.set()
        await bench.until(lambda: bench.changed_to(JobState.CANCELLED))
    assert moved_jobs.started == moved


async def test_a_job_that_a_webhook_wakes_starts_without_a_claim(bench: Bench) -> None:
    started = asyncio.Queue["Job"]()

    async def stop(job: Job) -> None:
        started.put_nowait(job)
        await bench.jobs.move(job, JobState.CANCELLED)

    job = await bench.at(JobState.GENERATING)
    async with running(bench, Lane(name="test", steps={JobState.GENERATING: stop}, slots=1)):
        await settle(bench)
        await bench.webhooks.receive(backend="fake", webhook_id="wh", remote_id=job.remote_id or "")
        async with asyncio.timeout(WITHOUT_A_LOOK):
            assert (await started.get()).epoch == job.epoch + 1, "only the webhook has raised it"


async def test_a_card_that_is_out_of_date_starts_no_step(bench: Bench) -> None:
    moved_jobs = MovedJobs(bench, JobState.GENERATING)
    job = await bench.at(JobState.GENERATING)
    claimed = await bench.claim(job.id)
    await bench.jobs.move(claimed, JobState.CANCELLED)
    async with running(bench, moved_jobs.lane()):
        await settle(bench)
        bench.jobs.refresh_card(claimed)
        await settle(bench)
    assert moved_jobs.started == []


async def test_jobs_that_are_moved_at_once_start_once_each(bench: Bench) -> None:
    moved_jobs = MovedJobs(bench, JobState.DELIVERING)
    async with running(bench, moved_jobs.lane(slots=3)):
        merging = [await bench.at(JobState.MERGING) for _ in range(9)]
        jobs = [await bench.now(job.id) for job in merging]
        moved = await moved_jobs.move(*jobs)
        await settle(bench)
        assert len(moved_jobs.started) == 3
        moved_jobs.may_end.set()
        await bench.until(lambda: moved_jobs.ended == 9)
    assert sorted(job.id for job in moved_jobs.started) == sorted(job.id for job in jobs)
    assert moved_jobs.started[:3] == moved[:3]


async def test_a_job_that_is_moved_before_its_lane_runs_is_claimed_by_the_lane(
    bench: Bench,
) -> None:
    moved_jobs = MovedJobs(bench, JobState.DELIVERING)
    worker = bench.worker(moved_jobs.lane())
    bench.bus.subscribe(worker.on_job_changed)
    [moved] = await moved_jobs.move(await bench.at(JobState.MERGING))
    await settle(bench)
    assert moved_jobs.started == []
    moved_jobs.may_end.set()
    task = asyncio.create_task(worker.run())
    await bench.until(lambda: bench.changed_to(JobState.CANCELLED))
    await worker.stop(grace=PATIENCE)
    await task
    assert [job.epoch for job in moved_jobs.started] == [moved.epoch + 1]


async def test_a_job_that_is_moved_while_discord_is_away_does_not_start(bench: Bench) -> None:
    moved_jobs = MovedJobs(bench, JobState.DELIVERING)
    async with running(bench, moved_jobs.lane()) as [worker]:
        await settle(bench)
        worker.pause_discord()
        await moved_jobs.move(await bench.at(JobState.MERGING))
        await settle(bench)
        assert moved_jobs.started == []
        worker.resume_discord()
        moved_jobs.may_end.set()
        await bench.until(lambda: bench.changed_to(JobState.CANCELLED))


async def test_a_job_of_another_backend_does_not_start_when_it_is_moved(bench: Bench) -> None:
    moved_jobs = MovedJobs(bench, JobState.DOWNLOADING)
    async with running(bench, moved_jobs.lane()):
        await settle(bench)
        job = await bench.at(JobState.GENERATING)
        other = {"id": job.id, "backend": "another"}
        await bench.database.rows("UPDATE jobs SET backend = :backend WHERE id = :id", other)
        await bench.jobs.move(job, JobState.DOWNLOADING)
        await settle(bench)
        assert moved_jobs.started == []


async def test_jobs_that_were_due_before_the_start_are_claimed(bench: Bench) -> None:
    job, started = await bench.at(JobState.DELIVERING), asyncio.Queue[str]()
    async with running(bench, stopping_lane(bench, JobState.DELIVERING, started)):
        async with asyncio.timeout(WITHOUT_A_LOOK):
            assert await started.get() == job.id


async def test_a_full_lane_claims_the_next_job_when_a_slot_is_free(bench: Bench) -> None:
    done: list[str] = []

    async def deliver(job: Job) -> None:
        await bench.jobs.move(job, JobState.NOTIFYING)
        done.append(job.id)

    lane = Lane(name="test", steps={JobState.DELIVERING: deliver}, slots=1)
    jobs = [await bench.at(JobState.DELIVERING) for _ in range(5)]
    async with running(bench, lane):
        await bench.until(lambda: len(done) == len(jobs))
    assert set(done) == {job.id for job in jobs}


async def test_a_job_that_is_woken_during_its_step_is_claimed_again(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    looks: list[str] = []

    async def wake(number: int) -> None:
        await bench.webhooks.receive(
            backend="fake", webhook_id=f"wh_{number}", remote_id=job.remote_id or ""
        )

    async def poll(claimed: Job) -> None:
        looks.append(claimed.id)
        await bench.jobs.postpone(claimed, after=3600)
        if len(looks) == 1:
            await wake(2)

    async with running(bench, Lane(name="test", steps={JobState.GENERATING: poll}, slots=4)):
        await wake(1)
        await bench.until(lambda: len(looks) == 2)
    assert looks == [job.id, job.id]


async def test_a_job_that_is_due_when_its_step_ends_is_claimed_again(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    looks = asyncio.Queue[str]()

    async def poll(claimed: Job) -> None:
        await bench.jobs.postpone(claimed, after=60)
        bench.clock.advance(60)
        looks.put_nowait(claimed.id)

    async with running(bench, Lane(name="test", steps={JobState.GENERATING: poll}, slots=4)):
        bench.clock.advance(3600)
        await bench.webhooks.receive(backend="fake", webhook_id="wh", remote_id=job.remote_id or "")
        async with asyncio.timeout(WITHOUT_A_LOOK):
            assert [await looks.get(), await looks.get()] == [job.id, job.id]


async def test_a_job_starts_as_soon_as_its_card_is_found(bench: Bench) -> None:
    started = asyncio.Queue[str]()
    async with running(bench, stopping_lane(bench, JobState.RECEIVED, started)):
        job = await bench.submit(acknowledged=False)
        await settle(bench)
        await bench.jobs.acknowledge(job.id, 5, is_current=False)
        async with asyncio.timeout(WITHOUT_A_LOOK):
            assert await started.get() == job.id


async def test_queued_jobs_start_as_soon_as_the_operator_resumes(bench: Bench) -> None:
    watch = PauseWatch(bench.access, bench.jobs, clock=bench.clock)
    pause = Pause(words="Moving.", is_drain=True)
    drain = Change(scope=EVERYWHERE, name=Setting.PAUSE, value=str(pause))
    job = await bench.at(JobState.QUEUED)
    await bench.access.change(drain, actor=None, now=bench.clock())
    await watch.look()
    started = asyncio.Queue[str]()
    async with running(bench, stopping_lane(bench, JobState.QUEUED, started)):
        await settle(bench)
        assert started.empty()
        await bench.access.change(replace(drain, value=None), actor=None, now=bench.clock())
        await watch.look()
        async with asyncio.timeout(WITHOUT_A_LOOK):
            assert await started.get() == job.id


async def test_after_a_probe_that_tells_nothing_the_next_job_is_the_probe(bench: Bench) -> None:
    probe, other = await bench.at(JobState.QUEUED), await bench.at(JobState.QUEUED)
    now = bench.clock()
    await bench.circuits.refuse("fake", Trouble.OUTAGE)
    await bench.circuits.open("fake", probe_at=now, now=now)
    bench.backend.lost_answers.append(BackendError(ErrorKind.MODERATED, "no"))
    (submit,) = [lane for lane in make_lanes(bench.lane.steps) if JobState.QUEUED in lane.steps]
    bench.backend.answer.clear()
    async with running(bench, submit), asyncio.timeout(WITHOUT_A_LOOK):
        await bench.backend.in_submit.wait()
        await settle(bench)
        bench.backend.answer.set()
        await bench.until(lambda: bench.changed_to(JobState.GENERATING))
    states = {(await bench.now(job.id)).state for job in (probe, other)}
    assert states == {JobState.FAILED, JobState.GENERATING}


async def test_a_job_that_the_provider_is_too_busy_for_leaves_room_to_another(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, at_provider=1) as bench:
        await bench.at(JobState.QUEUED)
        await bench.at(JobState.QUEUED)
        bench.backend.refusals.append(BackendError(ErrorKind.RATE, "busy", retry_after=60))
        (submit,) = [lane for lane in make_lanes(bench.lane.steps) if JobState.QUEUED in lane.steps]
        async with running(bench, submit), asyncio.timeout(WITHOUT_A_LOOK):
            await bench.until(lambda: bench.changed_to(JobState.GENERATING))


async def test_a_job_that_another_process_postpones_leaves_room_to_another(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, at_provider=1) as bench:
        sent = await bench.at(JobState.SUBMITTING)
        job = await bench.submit()
        await bench.jobs.move(await bench.claim(job.id), JobState.QUEUED)
        started = asyncio.Queue[str]()
        async with running(bench, stopping_lane(bench, JobState.QUEUED, started)):
            await settle(bench)
            assert started.empty()
            await bench.jobs.move(await bench.now(sent.id), JobState.QUEUED, after=60)
            async with asyncio.timeout(WITHOUT_A_LOOK):
                assert await started.get() == job.id


async def test_a_lack_of_room_is_noticed_when_the_next_time_is_read(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, at_provider=1) as bench:
        assert not await bench.queue.claim((JobState.QUEUED,), running=(), limit=1)
        assert not bench.queue.lacked_room
        await bench.at(JobState.GENERATING)
        bench.queue._lacked_room = False  # noqa: SLF001 - another process has sent the job
        assert await bench.queue.seconds_until_due((JobState.QUEUED,), running=()) is None
        assert bench.queue.lacked_room


async def test_the_submit_lane_reads_what_it_needs_in_one_transaction(bench: Bench) -> None:
    await bench.at(JobState.QUEUED)
    async with recorded(bench.database) as statements:
        states = (JobState.QUEUED, JobState.SUBMITTING)
        assert len(await bench.queue.claim(states, running=(), limit=1)) == 1
    begin, *shared, commit, claim = statements
    assert (begin, commit) == ("BEGIN", "COMMIT")
    assert len(shared) == 3, "the pause, the room, and the claim of other jobs"
    assert "UPDATE" in claim


async def test_a_lane_wakes_at_the_time_of_its_next_job() -> None:
    alarm = LaneAlarm(max_seconds=PATIENCE)
    assert alarm.begin() == (False, True), "at the start, the time is unknown"
    assert alarm.begin() == (False, False), "the time was read a moment ago"
    alarm.set_in(3600)
    alarm.set_in(0.001)
    async with asyncio.timeout(PATIENCE):
        await alarm.wait()
    assert alarm.begin() == (True, True), "the time of the job after it is unknown"


async def test_a_lane_without_due_jobs_only_reads_the_next_time() -> None:
    alarm = LaneAlarm(max_seconds=0.001)
    alarm.begin()
    alarm.set_in(3600)
    async with asyncio.timeout(PATIENCE):
        await alarm.wait()
    assert alarm.begin() == (False, True)
    alarm.look()
    assert alarm.begin() == (False, True)
    alarm.set_in(0)
    assert alarm.begin() == (True, True), "a job that the table shows as due is claimed"


async def test_all_lanes_read_the_table_at_the_same_times() -> None:
    alarms = [LaneAlarm(max_seconds=100) for _ in range(3)]
    for alarm in alarms:
        assert alarm.begin() == (False, True)
        let_pass(1)
    for _ in range(300):
        let_pass(1)
        assert len({alarm.begin() for alarm in alarms}) == 1


async def test_a_lane_that_waits_for_a_time_wakes_for_a_due_job() -> None:
    alarm = LaneAlarm(max_seconds=3600)
    alarm.begin()
    waiting = asyncio.create_task(alarm.wait())
    await asyncio.sleep(0)
    alarm.ring()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert alarm.begin() == (True, False), "only the due jobs are claimed"
