"""Nothing is lost or late if the machine's clock is set, while the bot runs or while it is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.errors import BackendError, ErrorKind, Trouble, UserError
from bot.jobs.waits.clock_watcher import ClockWatcher
from bot.jobs.waits.pauses import MAX_PAUSES
from bot.model import JobState
from bot.pacing import WatchedClock
from storage.clock import ClockStore
from storage.jobs.caps import Caps
from storage.speeches import SpeechCaps, SpeechRequester, SpeechStore
from tests.support.fakes.bench import CAPS, Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import origin

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job

HOUR = 60 * 60.0
DAY = 24 * HOUR
MINUTE = 60.0
JUMPS = [-400 * DAY, -DAY, -6 * HOUR, -HOUR, -61.0, 61.0, HOUR, 2 * HOUR, DAY, 400 * DAY]


def watcher(bench: Bench, *, boot: str = "boot 1") -> ClockWatcher:
    return ClockWatcher(bench.clock, ClockStore(bench.database), bench.bus, boot=boot, pause=5.0)


async def started(bench: Bench, *, boot: str = "boot 1") -> ClockWatcher:
    """Return the watcher of a process that has just started."""
    watch = watcher(bench, boot=boot)
    await watch.resume()
    return watch


async def due_in(bench: Bench, job: Job) -> float:
    next_at = (await bench.now(job.id)).next_at
    assert next_at is not None
    return next_at - bench.clock()


async def poll_for(bench: Bench, job: Job, seconds: float) -> Job:
    """Run the steps of a job for a while, at its own pace."""
    end = bench.clock.now + seconds
    while True:
        now = await bench.now(job.id)
        if now.next_at is None or bench.clock.now + await due_in(bench, now) > end:
            bench.clock.now = max(bench.clock.now, end)
            return now
        await bench.step(job.id)


@pytest.mark.parametrize("ahead", JUMPS)
async def test_an_open_job_is_due_within_a_minute_of_a_jump(bench: Bench, ahead: float) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.GENERATING)
    bench.clock.ahead = ahead
    await watch.check()
    assert bench.clock() == pytest.approx(bench.clock.wall())
    assert 0 <= await due_in(bench, job) <= MINUTE


@pytest.mark.parametrize("ahead", JUMPS)
async def test_no_running_job_is_deleted_or_late_because_of_a_jump(
    bench: Bench, ahead: float
) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.GENERATING)
    bench.clock.ahead = ahead
    await bench.step(job.id)  # even before the jump is noticed
    await watch.check()
    polled = await poll_for(bench, job, 20 * MINUTE)
    assert (polled.state, polled.late) == (JobState.GENERATING, False)
    assert bench.backend.cancelled == []


@pytest.mark.parametrize("ahead", JUMPS)
async def test_a_deadline_counts_the_time_that_passed_whatever_the_clock_showed(
    bench: Bench, ahead: float
) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.GENERATING)
    await poll_for(bench, job, 15 * MINUTE)
    bench.clock.ahead = ahead
    await watch.check()
    assert (await poll_for(bench, job, 14 * MINUTE)).state is JobState.GENERATING
    ended = await poll_for(bench, job, 2 * MINUTE)
    assert ended.state is JobState.FAILED
    assert bench.backend.cancelled == [bench.backend.only.ref]


@pytest.mark.parametrize("ahead", JUMPS)
async def test_a_clock_that_was_set_between_two_processes_is_noticed(
    tmp_path: Path, ahead: float
) -> None:
    clock = Clock(ahead=ahead)
    async with open_bench(tmp_path, clock) as bench:
        await started(bench)
        job = await bench.at(JobState.GENERATING)
        backend = bench.backend
    again = Clock(clock.now + MINUTE)
    backend.clock = again
    async with open_bench(tmp_path, again, backend=backend) as bench:
        await started(bench)
        assert await due_in(bench, job) <= MINUTE
        assert (await poll_for(bench, job, 20 * MINUTE)).state is JobState.GENERATING
        ended = await poll_for(bench, job, 10 * MINUTE)
        assert (ended.state, len(backend.cancelled)) == (JobState.FAILED, 1)


async def test_downtime_counts_for_a_deadline(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock) as bench:
        await started(bench)
        job = await bench.at(JobState.GENERATING)
        backend = bench.backend
    clock.advance(2 * HOUR)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        await started(bench)
        await bench.step(job.id)
        assert backend.cancelled == [backend.only.ref]


async def test_a_machine_that_starts_with_another_clock_deletes_nothing_for_ten_minutes(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock) as bench:
        await started(bench)
        job = await bench.at(JobState.GENERATING)
        backend = bench.backend
    again = Clock(clock.now, ahead=6 * HOUR)
    async with open_bench(tmp_path, again, backend=backend) as bench:
        watch = await started(bench, boot="boot 2")
        assert (await poll_for(bench, job, 5 * MINUTE)).late is False
        again.ahead = 0
        await watch.check()
        assert (await poll_for(bench, job, 20 * MINUTE)).state is JobState.GENERATING
        assert backend.cancelled == []


async def test_a_machine_without_a_battery_starts_in_the_past_and_catches_up(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock) as bench:
        await started(bench)
        job = await bench.at(JobState.GENERATING)
        backend = bench.backend
    again = Clock(clock.now + MINUTE, ahead=-clock.now)
    async with open_bench(tmp_path, again, backend=backend) as bench:
        watch = await started(bench, boot="boot 2")
        assert await due_in(bench, job) <= MINUTE
        again.ahead = 0
        await watch.check()
        assert await due_in(bench, job) <= MINUTE
        assert (await poll_for(bench, job, 20 * MINUTE)).state is JobState.GENERATING
        assert backend.cancelled == []


@pytest.mark.usefixtures("_on_each_database")
@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.SUCCEEDED])
async def test_no_stored_wait_is_longer_than_the_longest_pause_of_its_state(
    bench: Bench, state: JobState
) -> None:
    job = await bench.at(state)
    await bench.database.rows(
        "UPDATE jobs SET next_at = :at WHERE id = :id", {"id": job.id, "at": bench.clock() + DAY}
    )
    await watcher(bench).check()
    assert await due_in(bench, job) <= MAX_PAUSES[state]


async def test_a_create_without_an_answer_is_never_looked_for_too_early(bench: Bench) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.UNCONFIRMED)
    for ahead in (6 * HOUR, -6 * HOUR, 0.0):
        bench.clock.ahead = ahead
        await watch.check()
        assert await due_in(bench, job) == pytest.approx(180)
    await bench.database.rows("UPDATE jobs SET next_at = next_at + 9000", {})
    await watch.check()
    assert await due_in(bench, job) >= 180


async def test_a_card_that_a_command_is_posting_is_not_looked_for_too_early(bench: Bench) -> None:
    watch = await started(bench)
    job = await bench.submit(acknowledged=False)
    bench.clock.ahead = HOUR
    await watch.check()
    assert await due_in(bench, job) == pytest.approx(10)


@pytest.mark.parametrize("ahead", [6 * HOUR, -6 * HOUR, 2 * DAY])
async def test_jobs_behind_an_open_circuit_neither_fail_nor_wait_for_a_jump(
    bench: Bench, ahead: float
) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.QUEUED)
    bench.backend.refusals += [BackendError(ErrorKind.AUTH, "no")] * 99
    for _ in range(3):
        await bench.circuit.refused(Trouble.AUTH, probing=False)
    bench.clock.ahead = ahead
    await watch.check()
    assert (await bench.now(job.id)).state is JobState.QUEUED
    circuit = await bench.circuits.get("fake")
    assert circuit is not None
    assert 0 <= circuit.probe_at - bench.clock() <= 30
    assert circuit.opened_at == pytest.approx(bench.clock())


@pytest.mark.usefixtures("_on_each_database")
async def test_a_probe_that_another_clock_has_postponed_is_due(bench: Bench) -> None:
    for _ in range(3):
        await bench.circuit.refused(Trouble.OUTAGE, probing=False)
    await bench.database.rows("UPDATE circuits SET probe_at = probe_at + 21600", {})
    await watcher(bench).check()
    assert await bench.circuit.paused_circuit() is None


async def test_a_job_without_answers_does_not_fail_because_of_a_jump_of_two_days(
    bench: Bench,
) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.GENERATING)
    bench.backend.poll_faults += [BackendError(ErrorKind.TRANSIENT, "down")] * 30
    bench.clock.ahead = 2 * DAY
    await bench.step(job.id)
    await watch.check()
    waited = await poll_for(bench, job, 10 * MINUTE)
    assert waited.state is JobState.GENERATING
    bench.backend.only.state = RemoteState.DONE


@pytest.mark.parametrize("ahead", [HOUR, 40 * DAY, 400 * DAY])
async def test_retention_deletes_nothing_by_a_clock_that_is_ahead_of_all_evidence(
    bench: Bench, ahead: float
) -> None:
    watch = await started(bench)
    job = await bench.run_out((await bench.submit()).id)
    bench.backend.finish()
    job = await bench.run_out(job.id)
    await bench.artifacts.mark_delivered(job.id, now=bench.clock())
    bench.clock.ahead = ahead
    await bench.retention.sweep()  # before the jump is noticed
    await watch.check()
    for _ in range(20):
        bench.clock.advance(DAY)
        await watch.check()
        await bench.retention.sweep()
        assert bench.workspace.video(job.id).exists()
    bench.clock.advance(12 * DAY)
    await bench.retention.sweep()
    assert not bench.workspace.video(job.id).exists()


async def test_retention_does_not_trust_a_clock_that_an_earlier_process_followed(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock) as bench:
        watch = await started(bench)
        bench.backend.finish()
        job = await bench.run_out((await bench.submit()).id)
        await bench.artifacts.mark_delivered(job.id, now=clock())
        clock.ahead = 40 * DAY
        await watch.check()
    again = Clock(clock.now + 11 * MINUTE, ahead=40 * DAY)
    async with open_bench(tmp_path, again) as bench:
        await started(bench)
        again.advance(11 * MINUTE)
        await bench.retention.sweep()
        assert bench.workspace.video(job.id).exists()


async def test_retention_follows_discords_time_after_a_long_downtime(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock) as bench:
        await started(bench)
        bench.backend.finish()
        job = await bench.run_out((await bench.submit()).id)
        await bench.artifacts.mark_delivered(job.id, now=clock())
    clock.advance(40 * DAY)
    async with open_bench(tmp_path, Clock(clock.now)) as bench:
        await started(bench, boot="boot 2")
        bench.clock.advance(11 * MINUTE)
        await bench.retention.sweep()
        assert bench.workspace.video(job.id).exists()
        bench.clock.set_known(bench.clock.now)
        await bench.retention.sweep()
        assert not bench.workspace.video(job.id).exists()


async def test_caps_do_not_count_for_longer_because_the_clock_was_ahead(bench: Bench) -> None:
    bench.clock.ahead = 400 * DAY
    watch = await started(bench)
    await watch.check()
    bench.backend.finish()
    await bench.run_out((await bench.submit()).id)
    speeches, caps = SpeechStore(bench.database), SpeechCaps(per_user=1, per_day=1)
    requester = SpeechRequester(user_id=1, interaction_id=1)
    assert isinstance(await speeches.count(requester, caps, now=bench.clock()), int)
    bench.clock.ahead = 0
    await watch.check()
    bench.clock.advance(DAY + 1)
    usage = await bench.cap_store.usage(origin(), CAPS, now=bench.clock())
    assert usage.today == 0
    requester = SpeechRequester(user_id=1, interaction_id=2)
    assert isinstance(await speeches.count(requester, caps, now=bench.clock()), int)


async def test_a_clock_that_only_drifts_is_followed_without_a_log_message(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.GENERATING)
    before = await due_in(bench, job)
    bench.clock.ahead = 12
    await watch.check()
    assert not bench.clock.is_unsettled
    assert bench.clock() == bench.clock.wall()
    assert await due_in(bench, job) == pytest.approx(before)
    assert "clock.set" not in caplog.text


@pytest.mark.usefixtures("_on_each_database")
async def test_a_jump_that_can_not_be_stored_is_followed_later(bench: Bench) -> None:
    watch = await started(bench)
    job = await bench.at(JobState.GENERATING)
    for ahead in (HOUR, -HOUR):
        before = bench.clock()
        bench.clock.ahead = ahead
        async with bench.unwritable():
            with pytest.raises(Exception, match="readonly"):
                await watch.check()
        assert bench.clock() == before
        assert bench.clock.is_unsettled
        await watch.check()
        assert 0 <= await due_in(bench, job) <= MINUTE


def test_a_clock_passes_evenly_until_it_is_followed() -> None:
    wall, steady = Clock(1000.0), Clock(5.0)
    clock = WatchedClock(wall=wall, steady=steady)
    wall.now = 5000.0
    steady.advance(1)
    assert clock() == 1001.0
    clock.adopt(clock.drift)
    assert clock() == 5000.0


# What has ended lately: it counts for the caps, and as evidence.


@pytest.mark.usefixtures("_on_each_database")
@pytest.mark.parametrize("ahead", JUMPS)
@pytest.mark.parametrize("is_set_back", [False, True])
async def test_a_daily_cap_counts_what_has_ended_whatever_the_clock_showed(
    tmp_path: Path, clock: Clock, ahead: float, *, is_set_back: bool
) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        watch = await started(bench)
        bench.backend.finish()
        await bench.run_out((await bench.submit()).id)
        speeches, speech_caps = SpeechStore(bench.database), SpeechCaps(per_user=1, per_day=1)
        spoken = SpeechRequester(user_id=1, interaction_id=1)
        assert isinstance(await speeches.count(spoken, speech_caps, now=bench.clock()), int)
        for moved in (ahead, 0.0) if is_set_back else (ahead,):
            clock.advance(MINUTE)
            clock.ahead = moved
            await watch.check()
        with pytest.raises(UserError, match=r"caps\.day"):
            await bench.submit()
        again = SpeechRequester(user_id=1, interaction_id=2)
        assert not isinstance(await speeches.count(again, speech_caps, now=bench.clock()), int)
        clock.advance(DAY + HOUR)
        assert await bench.submit()
        assert isinstance(await speeches.count(again, speech_caps, now=bench.clock()), int)


@pytest.mark.parametrize("ahead", [2 * DAY, 400 * DAY])
async def test_the_row_of_a_deleted_job_counts_for_the_cap_despite_a_jump(
    bench: Bench, ahead: float
) -> None:
    watch = await started(bench)
    bench.backend.finish()
    job = await bench.run_out((await bench.submit()).id)
    await bench.retention.delete(job.id)
    bench.clock.ahead = ahead
    await watch.check()
    bench.clock.advance(11 * MINUTE)
    await bench.retention.sweep()
    assert await bench.count_rows("jobs") == 1


async def test_retention_keeps_a_video_that_was_made_while_the_clock_was_behind(
    bench: Bench,
) -> None:
    bench.clock.ahead = -400 * DAY
    await watcher(bench).check()
    watch = await started(bench)
    bench.clock.set_known(bench.clock.now)
    bench.backend.finish()
    job = await bench.run_out((await bench.submit()).id)
    await bench.artifacts.mark_delivered(job.id, now=bench.clock())
    bench.clock.advance(HOUR)
    bench.clock.ahead = 0.0
    await watch.check()
    bench.clock.advance(11 * MINUTE)
    await bench.retention.sweep()
    assert bench.workspace.video(job.id).exists()


@pytest.mark.parametrize(("passed", "back"), [(3 * DAY, 2.5 * DAY), (1.5 * DAY, DAY)])
async def test_a_list_that_was_believable_days_ago_is_not_so_again_by_a_clock_set_back(
    bench: Bench, passed: float, back: float
) -> None:
    watch = await started(bench)
    await bench.trust_list()
    bench.clock.advance(passed)
    bench.clock.ahead = -back
    await watch.check()
    job = await bench.at(JobState.UNCONFIRMED)
    bench.backend.charged.clear()
    assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    assert bench.backend.posts == 1


@pytest.mark.parametrize("ahead", JUMPS)
@pytest.mark.parametrize(
    "state",
    [JobState.DOWNLOADING, JobState.MERGING, JobState.DELIVERING, JobState.NOTIFYING],
)
async def test_a_jump_in_a_late_step_loses_no_paid_video(
    bench: Bench, state: JobState, ahead: float
) -> None:
    watch = await started(bench)
    job = await bench.at(state)
    bench.clock.ahead = ahead
    await bench.step(job.id)  # even before the jump is noticed
    await watch.check()
    await bench.retention.sweep()
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.workspace.video(job.id).exists()
