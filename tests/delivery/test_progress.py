"""Live progress: which changes of a job are shown on its card, and when."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pytest

from bot.delivery.progress import ProgressCards
from bot.errors import DeliveryError
from bot.model import JobChanged, JobState
from bot.pacing import EditIntervals, machine_clock
from tests.support.fakes.clock import PATIENCE, Clock
from tests.support.jobs import job as any_job

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from bot.delivery.deliverer import DiscordDeliverer
    from bot.model import Job
    from bot.pacing import WatchedClock


@dataclass
class Board:
    """A fake of the deliverer that records the content of each edit in order."""

    shown: list[Job] = field(default_factory=list["Job"])
    faults: dict[str, Exception] = field(default_factory=dict[str, Exception])
    gone: set[str] = field(default_factory=set[str])
    slow: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    locks: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])
    begun: list[str] = field(default_factory=list[str])
    places: dict[str, int] = field(default_factory=dict[str, int])
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def lock_card(self, job_id: str) -> AsyncGenerator[None]:
        async with self.locks.setdefault(job_id, asyncio.Lock()):
            yield

    async def queue_places(self) -> dict[str, int]:
        return dict(self.places)

    async def refresh(self, job: Job) -> bool:
        self.begun.append(job.id)
        self.changed.set()
        if job.id in self.slow:
            await self.slow[job.id].wait()
        self.shown.append(job)
        self.changed.set()
        if job.id in self.faults:
            raise self.faults.pop(job.id)
        return job.id not in self.gone

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def of(self, job_id: str) -> list[tuple[str, int | None]]:
        return [(str(job.state), job.progress) for job in self.shown if job.id == job_id]


@dataclass(kw_only=True)
class Stage:
    """A running ProgressCards, the fake that gets its edits, and a clock that the test moves."""

    cards: ProgressCards
    board: Board
    clock: Clock
    flags: int = 0

    def change(self, job: Job, previous: JobState | None = JobState.GENERATING) -> None:
        self.cards.on_job_changed(JobChanged(job=job, previous=previous))

    async def considered(self) -> None:
        """Wait until all changes so far are processed, by waiting for the card of a later job."""
        self.flags += 1
        flag = self.job(f"flag {self.flags}", JobState.QUEUED)
        self.change(flag, JobState.RECEIVED)
        await self.board.until(lambda: bool(self.board.of(flag.id)))

    def job(
        self, job_id: str, state: JobState, progress: int | None = None, *, age: float = 0
    ) -> Job:
        return any_job(state, id=job_id, progress=progress, created_at=self.clock() - age)


@asynccontextmanager
async def open_stage(pace: EditIntervals, clock: WatchedClock) -> AsyncGenerator[Stage]:
    board = Board()
    cards = ProgressCards(cast("DiscordDeliverer", board), pace, clock=clock)
    running = asyncio.create_task(cards.run(), name="progress")
    try:
        yield Stage(cards=cards, board=board, clock=cast("Clock", clock))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def stage(clock: Clock) -> AsyncGenerator[Stage]:
    async with open_stage(EditIntervals(), clock) as opened:
        yield opened


async def test_a_new_state_is_shown_at_once(stage: Stage) -> None:
    stage.change(stage.job("a", JobState.QUEUED), JobState.RECEIVED)
    await stage.board.until(lambda: stage.board.of("a") == [("queued", None)])
    stage.clock.advance(1)
    stage.change(stage.job("a", JobState.SUBMITTING), JobState.QUEUED)
    await stage.board.until(lambda: stage.board.of("a")[-1] == ("submitting", None))


async def test_the_reason_of_a_paused_queue_is_shown_on_cards_of_unchanged_jobs(
    stage: Stage,
) -> None:
    job = stage.job("a", JobState.QUEUED)
    stage.change(job, JobState.RECEIVED)
    await stage.board.until(lambda: len(stage.board.of("a")) == 1)
    stage.change(job, JobState.QUEUED)
    await stage.considered()
    assert len(stage.board.of("a")) == 1
    stage.cards.on_job_changed(JobChanged(job=job, previous=JobState.QUEUED, outlook_only=True))
    await stage.considered()
    assert len(stage.board.of("a")) == 2


async def test_the_card_that_the_command_posts_is_not_written_twice(stage: Stage) -> None:
    new = stage.job("a", JobState.RECEIVED)
    stage.change(new, None)
    stage.change(new, JobState.RECEIVED)
    await stage.considered()
    assert stage.board.of("a") == []


async def test_states_in_quick_succession_are_shown_once_a_second(stage: Stage) -> None:
    stage.change(stage.job("a", JobState.QUEUED), JobState.RECEIVED)
    await stage.board.until(lambda: stage.board.of("a") == [("queued", None)])
    stage.clock.advance(0.5)
    stage.change(stage.job("a", JobState.SUBMITTING), JobState.QUEUED)
    await stage.considered()
    assert len(stage.board.of("a")) == 1
    stage.clock.advance(0.5)
    stage.change(stage.job("a", JobState.GENERATING), JobState.SUBMITTING)
    await stage.considered()
    assert stage.board.of("a")[1:] == [("generating", None)]


@pytest.mark.parametrize(
    ("age", "seconds"), [(0, 5), (50, 5), (60, 15), (3000, 15), (3600, 60), (90_000, 60)]
)
async def test_percentages_are_shown_less_often_with_age_and_the_latest_wins(
    stage: Stage, age: float, seconds: float
) -> None:
    stage.change(stage.job("a", JobState.GENERATING, 1, age=age))
    await stage.board.until(lambda: len(stage.board.of("a")) == 1)
    stage.clock.advance(seconds - 0.1)
    stage.change(stage.job("a", JobState.GENERATING, 2, age=age))
    await stage.considered()
    assert len(stage.board.of("a")) == 1
    stage.clock.advance(0.1)
    stage.change(stage.job("a", JobState.GENERATING, 3, age=age))
    await stage.considered()
    assert stage.board.of("a")[1:] == [("generating", 3)]


async def test_an_edit_that_is_due_later_needs_no_further_change() -> None:
    async with open_stage(EditIntervals(first_minute=0.05), machine_clock()) as stage:
        stage.change(stage.job("a", JobState.GENERATING, 1))
        await stage.board.until(lambda: len(stage.board.of("a")) == 1)
        stage.change(stage.job("a", JobState.GENERATING, 2))
        await stage.board.until(lambda: stage.board.of("a")[-1] == ("generating", 2))


async def test_an_edit_with_the_same_content_is_not_sent(stage: Stage) -> None:
    stage.change(stage.job("a", JobState.GENERATING, 1))
    await stage.board.until(lambda: len(stage.board.of("a")) == 1)
    stage.clock.advance(100)
    stage.change(stage.job("a", JobState.GENERATING, 1))
    await stage.considered()
    assert len(stage.board.of("a")) == 1


async def test_a_job_that_becomes_late_says_so_although_its_percentage_is_the_same(
    stage: Stage,
) -> None:
    job = stage.job("a", JobState.GENERATING, 40)
    stage.change(job)
    await stage.board.until(lambda: len(stage.board.of("a")) == 1)
    stage.clock.advance(100)
    stage.change(replace(job, late=True))
    await stage.board.until(lambda: stage.board.shown[-1].late)


@pytest.mark.parametrize(
    "end", [JobState.DELIVERING, JobState.FAILED, JobState.CANCELLED, JobState.UNDECIDED]
)
async def test_a_card_that_a_step_writes_is_never_overwritten(stage: Stage, end: JobState) -> None:
    stage.change(stage.job("a", JobState.GENERATING, 1))
    await stage.board.until(lambda: len(stage.board.of("a")) == 1)
    stage.change(stage.job("a", JobState.GENERATING, 99))
    stage.change(stage.job("a", end))
    stage.clock.advance(1000)
    await stage.considered()
    assert stage.board.of("a") == [("generating", 1)]


async def test_an_edit_that_waits_while_a_step_writes_the_card_is_dropped(stage: Stage) -> None:
    async with stage.board.lock_card("a"):
        stage.change(stage.job("a", JobState.GENERATING, 50))
        await stage.considered()
        stage.change(stage.job("a", JobState.DELIVERING))
    await stage.considered()
    assert stage.board.of("a") == []


async def test_a_job_that_goes_on_after_a_question_is_shown_again(stage: Stage) -> None:
    stage.change(stage.job("a", JobState.UNDECIDED), JobState.UNCONFIRMED)
    stage.change(stage.job("a", JobState.QUEUED), JobState.UNDECIDED)
    await stage.considered()
    assert stage.board.of("a") == [("queued", None)]


async def test_a_slow_edit_delays_no_other_card_and_then_shows_the_latest(stage: Stage) -> None:
    stage.board.slow["a"] = asyncio.Event()
    stage.change(stage.job("a", JobState.QUEUED), JobState.RECEIVED)
    await stage.board.until(lambda: stage.board.begun == ["a"])
    await stage.considered()
    stage.clock.advance(10)
    for percent in (10, 20, 30):
        stage.change(stage.job("a", JobState.GENERATING, percent))
    await stage.considered()
    assert stage.board.of("a") == []
    stage.board.slow.pop("a").set()
    await stage.board.until(lambda: len(stage.board.of("a")) == 2)
    assert stage.board.of("a") == [("queued", None), ("generating", 30)]


async def test_a_crowd_is_edited_a_few_at_a_time(stage: Stage) -> None:
    crowd = [f"job {number}" for number in range(20)]
    release = asyncio.Event()
    stage.board.slow = dict.fromkeys(crowd, release)
    for job_id in crowd:
        stage.change(stage.job(job_id, JobState.QUEUED), JobState.RECEIVED)
    await stage.board.until(lambda: len(stage.board.begun) == 8)
    release.set()
    await stage.board.until(lambda: len(stage.board.shown) == 20)
    assert sorted(stage.board.begun) == sorted(crowd)


@pytest.mark.parametrize(
    ("fault", "level"), [(DeliveryError("503"), logging.INFO), (KeyError("bug"), logging.ERROR)]
)
async def test_an_edit_that_fails_is_logged_and_the_next_one_tried(
    stage: Stage, caplog: pytest.LogCaptureFixture, fault: Exception, level: int
) -> None:
    caplog.set_level(logging.INFO)
    stage.board.faults["a"] = fault
    stage.change(stage.job("a", JobState.GENERATING, 1))
    await stage.considered()
    [record] = caplog.records
    assert record.levelno == level
    assert "id=a" in record.getMessage()
    stage.clock.advance(5)
    stage.change(stage.job("a", JobState.GENERATING, 2))
    await stage.considered()
    assert stage.board.of("a") == [("generating", 1), ("generating", 2)]


async def test_a_card_that_is_gone_is_not_edited_any_more(stage: Stage) -> None:
    stage.board.gone.add("a")
    stage.change(stage.job("a", JobState.GENERATING, 1))
    await stage.considered()
    stage.clock.advance(100)
    stage.change(stage.job("a", JobState.DOWNLOADING, 100))
    await stage.considered()
    assert len(stage.board.of("a")) == 1


async def test_a_job_without_a_card_yet_waits_for_it(stage: Stage) -> None:
    job = stage.job("a", JobState.GENERATING, 1)
    stage.change(replace(job, requester=replace(job.origin, message_id=None)))
    await stage.considered()
    assert stage.board.of("a") == []
    stage.change(job)
    await stage.considered()
    assert len(stage.board.of("a")) == 1


def editable_by_token_only(job: Job, *, until: float) -> Job:
    return replace(job, requester=replace(job.origin, bot_can_edit=False, token_until=until))


async def test_a_card_that_only_its_token_can_edit_gets_an_expiry_notice_and_no_later_edit(
    stage: Stage,
) -> None:
    job = editable_by_token_only(stage.job("a", JobState.GENERATING, 1), until=stage.clock() + 900)
    stage.change(job)
    await stage.considered()
    stage.clock.advance(779)
    await stage.considered()
    assert len(stage.board.of("a")) == 1
    stage.clock.advance(1)
    await stage.considered()
    assert len(stage.board.of("a")) == 2
    stage.clock.advance(60)
    stage.change(replace(job, progress=50))
    stage.change(replace(job, state=JobState.DOWNLOADING))
    await stage.considered()
    assert len(stage.board.of("a")) == 2


async def test_an_expiry_notice_is_tried_until_it_is_shown(stage: Stage) -> None:
    job = editable_by_token_only(stage.job("a", JobState.GENERATING, 1), until=stage.clock() + 120)
    stage.board.faults["a"] = DeliveryError("429")
    stage.change(job)
    await stage.considered()
    stage.clock.advance(5)
    await stage.considered()
    stage.clock.advance(5)
    await stage.considered()
    assert len(stage.board.of("a")) == 2


async def test_an_open_question_gets_an_expiry_notice_and_an_answered_one_none(
    stage: Stage,
) -> None:
    until = stage.clock() + 900
    for name in ("asked", "answered"):
        job = editable_by_token_only(stage.job(name, JobState.UNDECIDED), until=until)
        stage.change(job, JobState.UNCONFIRMED)
    stage.change(replace(job, state=JobState.CANCELLED), JobState.UNDECIDED)
    stage.clock.advance(780)
    await stage.considered()
    assert stage.board.of("asked") == [("undecided", None)]
    assert stage.board.of("answered") == []


async def test_a_watched_card_gets_its_expiry_notice_without_any_change() -> None:
    async with open_stage(EditIntervals(), machine_clock()) as stage:
        job = stage.job("a", JobState.GENERATING)
        stage.cards.watch(editable_by_token_only(job, until=stage.clock() + 120.05))
        await stage.board.until(lambda: len(stage.board.of("a")) == 1)


async def test_running_edits_end_when_progress_stops(clock: Clock) -> None:
    async with open_stage(EditIntervals(), clock) as stage:
        stage.board.slow["a"] = asyncio.Event()
        stage.change(stage.job("a", JobState.QUEUED), JobState.RECEIVED)
        await stage.board.until(lambda: stage.board.begun == ["a"])
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("card:")] == []


async def test_a_better_place_in_the_queue_is_shown_at_most_every_15_seconds(
    stage: Stage,
) -> None:
    first, second = stage.job("a", JobState.QUEUED), stage.job("b", JobState.QUEUED)
    stage.board.places = {"a": 1, "b": 2}
    for job in (first, second):
        stage.change(job, JobState.RECEIVED)
    await stage.board.until(lambda: len(stage.board.shown) == 2)
    stage.board.places = {"b": 1}
    stage.change(replace(first, state=JobState.SUBMITTING), JobState.QUEUED)
    stage.clock.advance(EditIntervals().first_hour - 1)
    await stage.considered()
    assert len(stage.board.of("b")) == 1
    stage.clock.advance(1)
    await stage.considered()
    await stage.board.until(lambda: len(stage.board.of("b")) == 2)


async def test_a_start_changes_few_of_many_cards(stage: Stage) -> None:
    jobs = [stage.job(f"job {number}", JobState.QUEUED) for number in range(1, 401)]
    stage.board.places = {job.id: number for number, job in enumerate(jobs, 1)}
    for job in jobs:
        stage.change(job, JobState.RECEIVED)
    await stage.board.until(lambda: len(stage.board.shown) == 400)
    del stage.board.places["job 1"]
    stage.board.places = {job_id: place - 1 for job_id, place in stage.board.places.items()}
    stage.change(replace(jobs[0], state=JobState.SUBMITTING), JobState.QUEUED)
    stage.clock.advance(15)
    # One start changes 20 places that are told exactly, and 20 that are rounded.
    await stage.board.until(lambda: len(stage.board.shown) == 400 + 40)
    stage.clock.advance(60)
    await stage.considered()
    assert len(stage.board.shown) == 400 + 40 + 1


async def test_an_unchanged_queue_causes_no_edit(stage: Stage) -> None:
    waiting = stage.job("a", JobState.QUEUED)
    stage.change(waiting, JobState.RECEIVED)
    await stage.board.until(lambda: len(stage.board.of("a")) == 1)
    stage.change(stage.job("b", JobState.MERGING), JobState.DOWNLOADING)
    stage.clock.advance(60)
    await stage.considered()
    assert len(stage.board.of("a")) == 1


@pytest.mark.parametrize("ahead", [3600.0, -3600.0, 86400.0])
async def test_a_clock_that_was_set_neither_holds_back_a_card_nor_ends_its_edits(
    stage: Stage, ahead: float
) -> None:
    until = stage.clock() + 900
    stage.change(editable_by_token_only(stage.job("a", JobState.GENERATING, 1), until=until))
    await stage.board.until(lambda: len(stage.board.of("a")) == 1)
    stage.clock.ahead = ahead
    stage.clock.adopt(ahead)  # before the moments of the job have moved too
    stage.clock.mark_unsettled()
    stage.clock.advance(5)
    stage.change(editable_by_token_only(stage.job("a", JobState.GENERATING, 2), until=until))
    await stage.board.until(lambda: ("generating", 2) in stage.board.of("a"))
    stage.clock.advance(15)
    stage.change(
        editable_by_token_only(stage.job("a", JobState.GENERATING, 3), until=until + ahead)
    )
    await stage.board.until(lambda: stage.board.of("a")[-1] == ("generating", 3))


async def test_a_change_looks_at_no_card_but_those_that_changed_or_are_due(stage: Stage) -> None:
    for percent in (1, 2):  # the second edit of each is due in five seconds
        for number in range(500):
            stage.change(stage.job(f"waiting {number}", JobState.GENERATING, percent))
        await stage.considered()
        await stage.board.until(lambda: len(stage.board.shown) >= 500)
    earlier = stage.clock.reads
    for _ in range(10):
        await stage.considered()
    assert stage.clock.reads - earlier < 500
    stage.clock.advance(5)
    await stage.considered()
    await stage.board.until(lambda: stage.board.of("waiting 499")[-1] == ("generating", 2))
