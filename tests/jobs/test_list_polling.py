"""Many jobs are polled at once by the pages of the provider's list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState, StatusPage
from bot.errors import BackendError, ErrorKind
from bot.jobs.changes.publisher import ChangePublisher
from bot.jobs.polling.list_round import ListRound
from bot.jobs.polling.page_step import PageStep
from bot.model import HoldReason, JobState
from storage.jobs.polling.listed_jobs import ListedJobStore
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import ACCOUNT, LIST_INTERVALS, Bench, open_bench
from tests.support.fakes.orders import REQUEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from bot.model import Job
    from storage.jobs.polling.listed_jobs import PolledJob
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_on_each_database")

PUT_OFF = 30.0
PERIOD = 2.5
HEAD_START = 5.0


async def several(bench: Bench, count: int = 4) -> list[Job]:
    """Return jobs that are being generated, with the remote ids video_1, video_2 ..."""
    return [await bench.at(JobState.GENERATING) for _ in range(count)]


async def waits(bench: Bench, jobs: list[Job]) -> list[float]:
    """Return the seconds until the own poll of each job."""
    now = [await bench.now(job.id) for job in jobs]
    return [(job.next_at or 0) - bench.clock() for job in now]


async def read_list(bench: Bench) -> float | None:
    """Read the whole list, and return the pause after it."""
    pause = await bench.list_polling.step()
    while bench.list_polling.is_reading:
        pause = await bench.list_polling.step()
    return pause


async def skip_first_round(bench: Bench) -> None:
    """Read the list without jobs, so that the next reading is not the first after a start."""
    await bench.list_polling.step()


async def test_a_page_puts_off_the_polls_of_all_jobs_that_still_run(bench: Bench) -> None:
    jobs = await several(bench)
    await read_list(bench)
    assert await waits(bench, jobs) == [PUT_OFF] * 4
    assert (bench.backend.pages, bench.backend.polls) == (1, 0)


async def test_only_a_job_whose_percentage_rose_is_published(bench: Bench) -> None:
    jobs = await several(bench)
    await read_list(bench)
    bench.backend.charged["video_2"].progress = 40
    bench.changes.clear()
    await read_list(bench)
    await read_list(bench)
    assert [(change.job.id, change.job.progress) for change in bench.changes] == [(jobs[1].id, 40)]


async def test_a_percentage_never_falls(bench: Bench) -> None:
    jobs = await several(bench)
    for percent in (40, 30):
        bench.backend.charged["video_2"].progress = percent
        await read_list(bench)
    assert (await bench.now(jobs[1].id)).progress == 40


@pytest.mark.parametrize(
    ("remote", "state"),
    [(RemoteState.DONE, JobState.DOWNLOADING), (RemoteState.FAILED, JobState.FAILED)],
)
async def test_an_end_on_a_page_is_confirmed_at_once_by_the_own_poll_of_the_job(
    remote: RemoteState, state: JobState, bench: Bench
) -> None:
    jobs = await several(bench)
    bench.backend.charged["video_3"].state = remote
    await read_list(bench)
    told = await bench.now(jobs[2].id)
    assert (told.state, told.next_at) == (JobState.GENERATING, bench.clock())
    assert (await bench.step(told.id)).state is state
    assert bench.backend.polls == 1


async def test_an_end_that_the_own_poll_does_not_confirm_wakes_the_job_once(bench: Bench) -> None:
    jobs = await several(bench)
    bench.backend.charged["video_1"].state = RemoteState.DONE
    await read_list(bench)
    bench.backend.charged["video_1"].state = RemoteState.RUNNING
    assert (await bench.step(jobs[0].id)).state is JobState.GENERATING
    bench.backend.charged["video_1"].state = RemoteState.DONE
    await read_list(bench)
    assert (await waits(bench, jobs))[0] == 5.0
    assert (await bench.step(jobs[0].id)).state is JobState.DOWNLOADING


async def test_a_job_that_no_page_shows_is_polled_by_itself_and_not_gone(bench: Bench) -> None:
    jobs = await several(bench, 5)
    bench.backend.unlisted.add("video_2")
    await read_list(bench)
    assert await waits(bench, jobs) == [PUT_OFF, 5, PUT_OFF, PUT_OFF, PUT_OFF]
    missing = await bench.step(jobs[1].id)
    assert (missing.state, missing.misses) == (JobState.GENERATING, 0)


async def test_a_job_that_its_own_poll_did_not_find_is_left_to_that_poll(bench: Bench) -> None:
    jobs = await several(bench, 5)
    bench.backend.poll_faults.append(BackendError(ErrorKind.GONE, "not found"))
    assert (await bench.step(jobs[1].id)).misses == 1
    bench.clock.advance(10)
    await read_list(bench)
    assert (await waits(bench, jobs))[1] == 20
    assert (await bench.now(jobs[1].id)).misses == 1


async def test_an_id_that_names_another_order_on_the_page_is_left_to_the_own_poll(
    bench: Bench,
) -> None:
    jobs = await several(bench, 5)
    reused = bench.backend.charged["video_2"]
    reused.request = replace(REQUEST, prompt="the order of another account")
    reused.state, reused.progress = RemoteState.DONE, 100
    await read_list(bench)
    assert (await waits(bench, jobs))[1] == 5
    checked = await bench.step(jobs[1].id)
    assert (checked.state, checked.progress, checked.misses) == (JobState.GENERATING, None, 1)


async def test_an_id_that_a_page_has_twice_is_left_to_the_own_poll(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Doubling(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench, 5)
        await read_list(bench)
        assert await waits(bench, jobs) == [PUT_OFF, 5, PUT_OFF, PUT_OFF, PUT_OFF]


class Doubling(FakeBackend):
    """Lists the second job twice, once as done."""

    async def list_statuses(self, after: str | None) -> StatusPage | None:
        page = await super().list_statuses(after)
        assert page is not None
        twice = [update for update in page.updates if update.ref == "video_2"]
        done = [replace(update, state=RemoteState.DONE) for update in twice]
        return replace(page, updates=(*done, *page.updates))


async def test_a_job_on_two_pages_counts_as_the_first_one_shows_it(
    tmp_path: Path, clock: Clock
) -> None:
    """A job that is created between two pages moves all others down."""
    backend = Between(clock)
    backend.page_size = 3
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench, 6)

        async def repeat() -> None:
            backend.shown_again = "video_4"

        backend.between = repeat
        await read_list(bench)
        assert await waits(bench, jobs) == [PUT_OFF] * 6
        assert backend.pages == 2


class Between(FakeBackend):
    """Does something after it has made a page, and before the page arrives."""

    between: Callable[[], Awaitable[None]] | None = None
    shown_again: str | None = None

    async def list_statuses(self, after: str | None) -> StatusPage | None:
        page = await super().list_statuses(after)
        assert page is not None
        if self.shown_again:
            again = replace(self._update(self.charged[self.shown_again]), state=RemoteState.DONE)
            page = replace(page, updates=(again, *page.updates))
        if self.between is not None:
            await self.between()
            self.between = None
        return page


async def test_a_job_that_is_cancelled_before_the_page_arrives_stays_cancelled(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Between(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench)
        backend.charged["video_2"].progress = 50

        async def cancel() -> None:
            await bench.jobs.cancel(jobs[1].id)

        backend.between = cancel
        await read_list(bench)
        cancelled = await bench.now(jobs[1].id)
        assert (cancelled.state, cancelled.progress) == (JobState.CANCELLED, None)
        assert cancelled.next_at == clock()


async def test_a_webhook_before_the_page_arrives_is_not_put_off(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Between(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench)

        async def notify() -> None:
            await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id="video_2")

        backend.between = notify
        await read_list(bench)
        assert await waits(bench, jobs) == [PUT_OFF, 0, PUT_OFF, PUT_OFF]


async def test_a_job_that_a_webhook_woke_is_not_put_off_by_an_older_list(bench: Bench) -> None:
    jobs = await several(bench, 5)
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id="video_2")
    bench.clock.advance(1)
    await read_list(bench)
    assert await waits(bench, jobs) == [PUT_OFF, -1, PUT_OFF, PUT_OFF, PUT_OFF]


async def test_a_poll_that_asked_too_early_does_not_put_off_the_end_on_a_page(
    bench: Bench,
) -> None:
    jobs = await several(bench)
    running = await bench.claim(jobs[0].id)
    bench.backend.charged["video_1"].state = RemoteState.DONE
    await read_list(bench)
    assert await bench.jobs.postpone(running, after=PUT_OFF) is None
    assert (await waits(bench, jobs))[0] == 0


async def test_a_job_that_was_claimed_before_the_page_arrives_keeps_the_time_of_its_poll(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Between(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench)

        async def poll() -> None:
            await bench.step(jobs[1].id)

        backend.between = poll
        await read_list(bench)
        assert (await waits(bench, jobs))[1] == 5


async def test_an_end_on_a_page_that_is_older_than_the_own_poll_wakes_no_job(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Between(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench)
        backend.charged["video_2"].state = RemoteState.DONE

        async def poll() -> None:
            backend.charged["video_2"].state = RemoteState.RUNNING
            await bench.step(jobs[1].id)

        backend.between = poll
        await read_list(bench)
        assert (await waits(bench, jobs))[1] == 5


async def test_a_percentage_on_a_page_that_is_older_than_the_own_poll_does_not_replace_its_own(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Between(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench)
        claimed = await bench.claim(jobs[1].id)
        backend.charged["video_2"].progress = 45

        async def postpone() -> None:
            await bench.jobs.postpone(claimed, after=5, progress=50)

        backend.between = postpone
        await read_list(bench)
        assert (await bench.now(jobs[1].id)).progress == 50


async def test_no_write_changes_a_job_that_was_claimed_since_it_was_read(bench: Bench) -> None:
    jobs = await several(bench)
    store = ListedJobStore(bench.database, backend="fake")
    read = await store.open_jobs(now=bench.clock())
    claimed = await bench.claim(jobs[1].id)
    others = {job.id for job in read} - {claimed.id}
    await bench.database.rows(
        "UPDATE jobs SET epoch = epoch - 1 WHERE id <> :id", {"id": claimed.id}
    )
    assert {*await store.records(read)} == others
    await store.put_off([(job, None) for job in read], next_at=bench.clock() + 9, now=bench.clock())
    assert await waits(bench, jobs) == [9, 0, 9, 9]
    assert {job.id for job in await store.wake(read, now=bench.clock())} == others


class Overtaken(ListedJobStore):
    """A store whose jobs are all claimed for their own polls once, just before a page wakes one."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.database, backend="fake")
        self._bench = bench
        self.is_overtaken = False

    async def wake(self, jobs: Iterable[PolledJob], *, now: float) -> list[Job]:
        read = list(jobs)
        if not self.is_overtaken:
            self.is_overtaken = True
            for job in read:
                await self._bench.claim_again(job.id)
        return await super().wake(read, now=now)


async def test_an_end_that_came_too_late_to_wake_its_job_wakes_it_on_the_next_page(
    bench: Bench,
) -> None:
    jobs = await several(bench)
    store = Overtaken(bench)
    page_step = PageStep(
        store,
        bench.identity,
        ChangePublisher(bench.bus),
        bench.silence,
        put_off=PUT_OFF,
        clock=bench.clock,
    )
    bench.backend.charged["video_2"].state = RemoteState.DONE
    for pause in (5.0, 0.0):
        page = await bench.backend.list_statuses(None)
        assert page is not None
        found = ListRound(await store.open_jobs(now=bench.clock())).take(page)
        await page_step.serve(found, requested_at=bench.clock())
        assert (await waits(bench, jobs))[1] == pause


async def test_a_list_whose_states_never_change_puts_no_job_off_for_more_than_minutes(
    bench: Bench,
) -> None:
    jobs = await several(bench)
    begun = bench.clock()
    while min(await waits(bench, jobs)) > 0:  # the list shows all of them running
        assert bench.clock() - begun < 400
        await read_list(bench)
        bench.clock.advance(10)
    bench.backend.charged["video_2"].state = RemoteState.DONE
    assert (await bench.step(jobs[1].id)).state is JobState.DOWNLOADING


async def test_a_job_whose_percentage_rises_on_the_pages_needs_no_poll_of_its_own(
    bench: Bench,
) -> None:
    jobs = await several(bench)
    for percent in range(1, 90):
        for number in range(1, 5):
            bench.backend.charged[f"video_{number}"].progress = percent
        await read_list(bench)
        bench.clock.advance(10)
    assert min(await waits(bench, jobs)) > 0


async def test_no_page_puts_a_poll_off_past_the_deadline(bench: Bench) -> None:
    jobs = await several(bench)
    deadline = jobs[0].deadline_at or 0
    bench.clock.now = deadline - 10
    await read_list(bench)
    assert await waits(bench, jobs) == [10] * 4
    bench.clock.now = deadline
    await read_list(bench)
    assert await waits(bench, jobs) == [0] * 4
    assert bench.backend.pages == 1
    assert (await bench.step(jobs[0].id)).state is JobState.FAILED
    assert bench.backend.cancelled == ["video_1"]


async def test_a_job_that_is_late_keeps_its_rare_polls(bench: Bench) -> None:
    bench.backend.can_cancel = False
    late = await bench.at(JobState.GENERATING)
    bench.clock.now = late.deadline_at or 0
    assert (await bench.step(late.id)).late
    await several(bench)
    await read_list(bench)
    assert await waits(bench, [late]) == [300]


async def test_a_slow_answer_puts_off_polls_only_from_its_request_on(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Between(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench)

        async def wait() -> None:
            clock.advance(20)

        backend.between = wait
        await read_list(bench)
        assert await waits(bench, jobs) == [10] * 4


async def test_a_page_ends_the_hold_of_jobs_whose_provider_was_silent(bench: Bench) -> None:
    jobs = await several(bench)
    claimed = await bench.claim(jobs[0].id)
    await bench.holds.hold(claimed, HoldReason.UNANSWERED, after=15)
    bench.changes.clear()
    await read_list(bench)
    assert (await bench.now(jobs[0].id)).hold is None
    assert [change.job.id for change in bench.changes] == [jobs[0].id]


async def test_a_page_ends_the_time_without_answers(bench: Bench) -> None:
    jobs = await several(bench)
    down = BackendError(ErrorKind.TRANSIENT, "down")
    bench.backend.poll_faults.append(down)
    await bench.step(jobs[0].id)
    await read_list(bench)
    bench.clock.advance(600)
    bench.backend.poll_faults.append(down)
    assert (await bench.step(jobs[0].id)).hold is None


async def test_jobs_of_another_backend_are_not_served(bench: Bench) -> None:
    jobs = await several(bench, 5)
    await bench.database.rows("UPDATE jobs SET backend = 'x' WHERE id = :id", {"id": jobs[1].id})
    await read_list(bench)
    assert (await waits(bench, jobs))[1] == 5


async def test_a_page_is_no_evidence_about_an_unconfirmed_create(bench: Bench) -> None:
    """Its list was made before the rivals and the bound ids were read."""
    await several(bench)
    doubtful = await bench.at(JobState.UNCONFIRMED)
    before = await bench.now(doubtful.id)
    await read_list(bench)
    assert len(bench.backend.charged) == 5
    assert await bench.now(doubtful.id) == before
    assert not await bench.listings.was_shown("fake", ACCOUNT, since=0, now=bench.clock())


# Pace and failures


async def test_fewer_than_four_jobs_are_polled_by_themselves(bench: Bench) -> None:
    await several(bench, 3)
    assert await bench.list_polling.step() == PERIOD
    assert bench.backend.pages == 0


async def test_one_job_without_a_percentage_is_worth_a_list_once_its_polls_are_rare(
    bench: Bench,
) -> None:
    jobs = await several(bench, 1)
    bench.clock.advance(29)
    await bench.list_polling.step()
    assert bench.backend.pages == 0
    bench.clock.advance(1)
    await read_list(bench)
    assert bench.backend.pages == 1
    bench.backend.only.progress = 10
    await bench.step(jobs[0].id)
    await bench.list_polling.step()
    assert bench.backend.pages == 1


async def test_without_jobs_the_list_is_not_read(bench: Bench) -> None:
    assert await bench.list_polling.step() is None
    assert bench.backend.pages == 0


async def test_the_list_is_read_back_to_the_oldest_open_job(bench: Bench) -> None:
    bench.backend.page_size = 2
    for _ in range(5):
        bench.backend.charge(REQUEST)
    await several(bench, 5)
    await read_list(bench)
    assert bench.backend.pages == 3


async def test_a_sorted_list_is_read_until_no_open_job_can_be_older(bench: Bench) -> None:
    bench.backend.page_size = 2
    for _ in range(9):
        bench.backend.charge(REQUEST)
    bench.clock.advance(1000)
    await several(bench, 4)
    bench.backend.unlisted.add("video_10")
    await read_list(bench)
    assert bench.backend.pages == 3


async def test_a_list_with_many_jobs_of_others_is_read_for_a_few_pages(bench: Bench) -> None:
    bench.backend.page_size = 1
    await several(bench, 4)
    for _ in range(20):
        bench.backend.charge(REQUEST)
    await read_list(bench)
    assert bench.backend.pages == 4


async def test_a_list_that_repeats_its_first_page_is_read_twice(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Repeating(clock)
    backend.page_size = 3
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench, 5)
        await read_list(bench)
        assert backend.pages == 2
        assert await waits(bench, jobs) == [5, 5, PUT_OFF, PUT_OFF, PUT_OFF]


class Repeating(FakeBackend):
    """Ignores `after`."""

    async def list_statuses(self, after: str | None) -> StatusPage | None:
        del after
        return await super().list_statuses(None)


async def test_a_list_that_fails_is_read_less_often_while_jobs_are_polled_by_themselves(
    bench: Bench,
) -> None:
    jobs = await several(bench)
    bench.backend.page_faults += [BackendError(ErrorKind.TRANSIENT, "down") for _ in range(7)]
    assert [await bench.list_polling.step() for _ in range(7)] == [2.5, 5, 10, 20, 40, 60, 60]
    assert await waits(bench, jobs) == [HEAD_START] * 4
    assert (await bench.step(jobs[0].id)).state is JobState.GENERATING
    await read_list(bench)
    bench.backend.page_faults.append(BackendError(ErrorKind.RATE, "slowly", retry_after=77))
    assert await bench.list_polling.step() == 77


async def test_a_list_that_shows_none_of_our_jobs_is_read_less_often(bench: Bench) -> None:
    await several(bench)
    bench.backend.unlisted |= {"video_1", "video_2", "video_3", "video_4"}
    assert [await read_list(bench) for _ in range(3)] == [2.5, 5, 10]


async def test_a_server_without_a_list_is_asked_for_it_every_ten_minutes(bench: Bench) -> None:
    await several(bench)
    bench.backend.lists = False
    assert await bench.list_polling.step() == 600


def test_a_few_pages_share_the_period_and_many_follow_each_other_faster() -> None:
    pauses = [LIST_INTERVALS.between_pages(pages) for pages in (1, 2, 10, 20, 100, 1000)]
    assert pauses == [2.5, 1.25, 0.25, 0.25, 0.24, 0.024]


async def test_the_seconds_that_a_page_took_are_part_of_the_pause(
    tmp_path: Path, clock: Clock
) -> None:
    backend = Between(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        await skip_first_round(bench)
        await several(bench)

        async def wait() -> None:
            clock.advance(2)

        backend.between = wait
        assert await read_list(bench) == 0.5


async def test_after_a_restart_all_pages_are_read_at_once_and_before_any_own_poll(
    tmp_path: Path, clock: Clock
) -> None:
    backend = FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        jobs = await several(bench, 5)
    clock.advance(3600)
    backend.page_size = 1
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        await bench.database.rows("UPDATE jobs SET deadline_at = deadline_at + 9999", {})
        assert await bench.list_polling.step() == 0
        assert (await waits(bench, jobs))[:4] == [HEAD_START] * 4
        assert [await bench.list_polling.step() for _ in range(3)] == [0, 0, PERIOD]
    assert backend.polls == 0
