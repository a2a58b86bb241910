"""A worker beats, stops its steps when it is late, and claims nothing while it differs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from bot.jobs.leases.heartbeat import BEAT_SECONDS, LATE_SECONDS
from bot.jobs.leases.shared_settings import NO_DESK, differing, digest_of
from bot.jobs.worker import Lane, make_lanes
from bot.model import JobState
from storage.errors import StorageError
from storage.workers.leases import LEASE_SECONDS
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.workers import KEY, SCHEMA, SharedDatabase, Workers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bot.model import Job
    from storage.database import Row, Statement
    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")


class FailingDatabase(SharedDatabase):
    """A database that can be made unreachable."""

    is_away = False

    async def sequence(self, *statements: Statement) -> Sequence[Sequence[Row]]:
        if self.is_away:
            raise StorageError("away")
        return await super().sequence(*statements)


@pytest.fixture
def workers(bench: Bench, tmp_path: Path) -> Workers:
    return Workers(bench.database, tmp_path, bench.clock)


async def test_a_process_claims_from_its_first_beat_on(workers: Workers) -> None:
    heartbeat = workers.heartbeat("first")
    heartbeat.become_desk(now=workers.clock())
    assert not heartbeat.may_claim()
    await heartbeat.beat()
    assert heartbeat.may_claim()


async def test_a_process_that_beats_is_never_late(workers: Workers) -> None:
    heartbeat, late = workers.heartbeat("first"), list[bool]()
    heartbeat.become_desk(now=workers.clock())
    heartbeat.on_late(lambda: late.append(True))
    await workers.beat_for(10 * BEAT_SECONDS, heartbeat)
    assert heartbeat.may_claim()
    row = await workers.database.row("SELECT seen_at FROM workers WHERE id = 'first'", {})
    assert row is not None
    assert workers.clock() - row["seen_at"] == BEAT_SECONDS
    assert late == []


@pytest.mark.parametrize(
    ("back", "seen_back"),
    [(10.0, 0.0), (3600.0, 3600.0)],
    ids=["late statement", "clock set back"],
)
async def test_a_beat_that_arrives_late_does_not_make_a_process_look_dead(
    workers: Workers, back: float, seen_back: float
) -> None:
    await workers.beat("first")
    workers.clock.now -= back
    await workers.beat("first")
    row = await workers.database.row("SELECT seen_at FROM workers WHERE id = 'first'", {})
    assert row is not None
    assert row["seen_at"] == workers.clock() + back - seen_back


async def test_a_late_process_claims_nothing_and_has_its_steps_cancelled_once(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    database = FailingDatabase(workers.database)
    heartbeat, cancelled = workers.heartbeat("first", database=database), list[float]()
    heartbeat.become_desk(now=workers.clock())
    start = workers.clock.now
    heartbeat.on_late(lambda: cancelled.append(workers.clock.now - start))
    await heartbeat.beat()
    database.is_away = True
    await workers.beat_for(3 * LEASE_SECONDS, heartbeat)
    assert not heartbeat.may_claim()
    assert [LATE_SECONDS < seconds < LEASE_SECONDS for seconds in cancelled] == [True]
    assert caplog.text.count("worker.late") == 1
    database.is_away = False
    await workers.beat_for(BEAT_SECONDS, heartbeat)
    assert heartbeat.may_claim()


async def test_a_process_that_was_stopped_for_a_while_has_its_steps_cancelled(
    workers: Workers,
) -> None:
    heartbeat, cancelled = workers.heartbeat("first"), list[bool]()
    heartbeat.become_desk(now=workers.clock())
    heartbeat.on_late(lambda: cancelled.append(True))
    await heartbeat.beat()
    workers.clock.advance(60)
    await workers.beat_for(BEAT_SECONDS, heartbeat)
    assert cancelled == [True]
    assert heartbeat.may_claim()


async def test_the_lanes_of_a_late_process_cancel_their_steps(bench: Bench) -> None:
    started, ended = asyncio.Event(), list[str]()

    async def wait(job: Job) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(job.id)

    lane = Lane(name="test", steps={JobState.RECEIVED: wait}, slots=1)
    worker = bench.worker(lane)
    job = await bench.submit()
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(PATIENCE):
        await started.wait()
        worker.on_late()
        started.clear()
        await started.wait()  # the job is still due, so that it is claimed again
    assert ended == [job.id]
    await worker.stop(grace=0)
    await running


def test_only_the_lane_that_sends_creates_ends_its_steps_itself(bench: Bench) -> None:
    steps = {**bench.pipeline.steps, JobState.GENERATING: bench.poller.poll}
    assert [lane.name for lane in make_lanes(steps) if not lane.ends_when_late] == ["submit"]


# The settings that have to be the same


async def test_a_worker_that_differs_from_the_desk_claims_nothing_until_they_agree(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk = workers.heartbeat("desk", video_model="new", store_url="s3://a")
    worker = workers.heartbeat("worker", video_model="old", store_url="s3://a")
    desk.become_desk(now=workers.clock())
    await desk.beat()
    for _ in range(2):
        await worker.beat()
    assert desk.may_claim()
    assert (worker.is_alive(), worker.may_claim()) == (True, False)
    assert caplog.text.count("worker.differs settings=video_model") == 1
    next_desk = workers.heartbeat("next desk", video_model="old", store_url="s3://a")
    workers.clock.advance(1)
    next_desk.become_desk(now=workers.clock())
    await next_desk.beat()
    for heartbeat in (desk, worker):
        await heartbeat.beat()
    assert not desk.may_claim()
    assert worker.may_claim()
    assert "worker.agrees" in caplog.text


async def test_before_a_desk_has_run_workers_wait(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    worker = workers.heartbeat("worker")
    await worker.beat()
    assert not worker.may_claim()
    assert NO_DESK in caplog.text


async def test_the_settings_of_a_desk_that_has_stopped_still_count(workers: Workers) -> None:
    desk, worker = workers.heartbeat("desk"), workers.heartbeat("worker")
    desk.become_desk(now=workers.clock())
    await desk.beat()
    await desk.leave()
    await worker.beat()
    assert worker.may_claim()
    workers.clock.advance(2 * 24 * 60 * 60)
    await workers.table.sweep()
    await worker.beat()
    assert not worker.may_claim()


async def test_a_process_with_an_older_schema_stops(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    old, stopped = workers.heartbeat("old"), list[bool]()
    old.on_outdated(lambda: stopped.append(True))
    await old.beat()
    assert stopped == []
    await workers.heartbeat("new", schema=SCHEMA + 1).beat()
    for _ in range(2):
        await old.beat()
    assert stopped == [True]
    assert not old.is_alive()
    assert f"worker.outdated schema={SCHEMA} newest={SCHEMA + 1}" in caplog.text


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("own", "reference", "names"),
    [
        ({"A": "1", "B": "2"}, {"A": "1", "B": "2"}, ()),
        ({"A": "1", "B": "2"}, {"A": "0", "B": "0"}, ("A", "B")),
        ({"A": "1"}, {"A": "1", "B": "2"}, ("B",)),
        ({"A": "1", "B": "2"}, {"A": "1"}, ("B",)),
    ],
)
def test_the_settings_that_differ_are_named(
    own: Mapping[str, str], reference: Mapping[str, str], names: tuple[str, ...]
) -> None:
    digests = [digest_of(settings, key=KEY) for settings in (own, reference)]
    assert differing(digests[0], digests[1]) == names
    assert not any(value in digest for digest in digests for value in ('"1"', '"2"'))


@pytest.mark.sqlite
def test_another_secret_is_named_alone() -> None:
    digests = [digest_of({"A": "1"}, key=key) for key in (KEY, b"another")]
    assert differing(digests[0], digests[1]) == ("SECRET_KEY",)
