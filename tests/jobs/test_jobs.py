from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Artifact
from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import UserError
from bot.model import TRANSITIONS, JobState, VideoRequest
from storage.jobs.inbox import KEEP_SECONDS
from storage.jobs.store import Caps, Changes
from tests.support.fakes import ALL_STATES, REQUEST, START, VOICE, Bench, Clock, open_bench, origin

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job, JobChanged

OPEN_STATES = [state for state in JobState if not state.is_final]
ENDS = [state for state in JobState if state.is_final]
UPDATE = BackendUpdate(ref="video_x", state=RemoteState.RUNNING, progress=3)


async def count_rows(bench: Bench, table: str) -> int:
    row = await bench.database.row(f"SELECT count(*) AS n FROM {table}", {})  # noqa: S608 - ours
    assert row is not None
    return row["n"]


async def test_a_job_is_stored_as_it_was_asked_for(bench: Bench) -> None:
    place = origin(guild_id=None)
    job = await bench.jobs.submit(REQUEST, place, VOICE)
    assert job is not None
    assert job.state is JobState.RECEIVED
    assert (job.request, job.origin, job.attachment) == (REQUEST, place, VOICE)
    assert (job.created_at, job.backend) == (START, "fake")
    assert await bench.jobs.get(job.id) == job


async def test_an_unknown_id_is_no_job(bench: Bench) -> None:
    assert await bench.jobs.get("0" * 32) is None


async def test_one_interaction_is_one_job(bench: Bench) -> None:
    place = origin()
    assert await bench.jobs.submit(REQUEST, place, None) is not None
    assert await bench.jobs.submit(REQUEST, place, None) is None
    assert await count_rows(bench, "jobs") == 1


async def test_one_interaction_is_one_job_even_all_at_once(bench: Bench) -> None:
    place = origin()
    taken = await asyncio.gather(*(bench.jobs.submit(REQUEST, place, None) for _ in range(20)))
    assert len([job for job in taken if job is not None]) == 1
    assert len(bench.changes) == 1


async def test_a_repeated_interaction_is_recognised_when_the_caps_are_full(
    tmp_path: Path, clock: Clock
) -> None:
    place = origin()
    caps = Caps(open_per_user=1, open_in_all=1, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        assert await bench.jobs.submit(REQUEST, place, None) is not None
        assert await bench.jobs.submit(REQUEST, place, None) is None


@pytest.mark.parametrize(
    ("caps", "key"),
    [
        (Caps(open_per_user=3, open_in_all=9, per_day=9), "caps.user"),
        (Caps(open_per_user=9, open_in_all=3, per_day=9), "caps.all"),
        (Caps(open_per_user=9, open_in_all=9, per_day=3), "caps.day"),
    ],
)
async def test_caps_hold_when_commands_come_all_at_once(
    caps: Caps, key: str, tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        answers = await asyncio.gather(
            *(bench.jobs.submit(REQUEST, origin(), None) for _ in range(12)),
            return_exceptions=True,
        )
        refusals = [answer for answer in answers if isinstance(answer, UserError)]
        assert {(refusal.key, refusal.fields["limit"]) for refusal in refusals} == {(key, 3)}
        assert len(refusals) == 9
        assert await count_rows(bench, "jobs") == 3


async def test_the_days_cap_says_when_there_is_room_again(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=2)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        for _ in range(2):
            await bench.submit()
            clock.advance(3600)
        # Jobs that the cap does not count cause no wait.
        await bench.database.rows(
            "UPDATE jobs SET clip_of = id WHERE rowid = (SELECT min(rowid) FROM jobs)", {}
        )
        second = await bench.submit()
        with pytest.raises(UserError, match=r"caps\.day") as refused:
            await bench.submit()
        assert str(refused.value.fields["when"]) == f"<t:{int(clock()) + 23 * 3600 + 1}:R>"
        clock.advance(23 * 3600 + 1)
        assert (await bench.submit()).created_at > second.created_at


async def test_a_cap_per_person_is_nobody_elses(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=1, open_in_all=9, per_day=9)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        await bench.submit(user_id=1)
        await bench.submit(user_id=2)
        with pytest.raises(UserError, match=r"caps\.user"):
            await bench.submit(user_id=1)


async def test_an_ended_job_makes_room(tmp_path: Path, clock: Clock) -> None:
    caps = Caps(open_per_user=1, open_in_all=1, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        job = await bench.submit()
        await bench.jobs.cancel(job.id)
        # A job that was never submitted does not count towards the daily cap.
        await bench.submit()


async def test_a_submitted_job_counts_for_its_day_even_when_it_failed(
    tmp_path: Path, clock: Clock
) -> None:
    caps = Caps(open_per_user=1, open_in_all=1, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench:
        job = await bench.at(JobState.GENERATING)
        await bench.jobs.fail(await bench.claim(job.id), "failed.timeout")
        with pytest.raises(UserError, match=r"caps\.day"):
            await bench.submit()
        clock.advance(24 * 60 * 60 + 1)
        await bench.submit()


@pytest.mark.parametrize("to", list(JobState))
@pytest.mark.parametrize("state", list(JobState))
async def test_only_legal_moves_are_made(state: JobState, to: JobState, bench: Bench) -> None:
    if to in TRANSITIONS[state]:
        return
    job = await bench.at(state)
    with pytest.raises(ValueError, match="no transition"):
        await bench.jobs.move(job, to)
    assert await bench.now(job.id) == job


@pytest.mark.parametrize("state", ENDS)
def test_an_end_is_an_end(state: JobState) -> None:
    assert not TRANSITIONS[state]


@pytest.mark.parametrize("state", OPEN_STATES)
def test_every_open_state_leads_to_an_end(state: JobState) -> None:
    reached = {state}
    while (wider := reached.union(*(TRANSITIONS[each] for each in reached))) != reached:
        reached = wider
    assert JobState.SUCCEEDED in reached


async def test_the_table_itself_refuses_a_state_that_lacks_its_facts(bench: Bench) -> None:
    job = await bench.submit(acknowledged=False)
    with pytest.raises(sqlite3.IntegrityError):
        await bench.jobs.move(job, JobState.QUEUED)
    queued = await bench.at(JobState.QUEUED)
    with pytest.raises(sqlite3.IntegrityError):
        await bench.store.move(queued, JobState.GENERATING, Changes(), next_at=None, now=START)


async def test_a_step_that_lost_its_job_writes_nothing(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    lost = await bench.claim(job.id)
    held = await bench.claim(job.id)
    assert held.epoch == lost.epoch + 1
    assert await bench.jobs.move(lost, JobState.CANCELLED) is None
    assert await bench.jobs.begin_submit(lost) is None
    assert await bench.jobs.postpone(lost, after=99) is None
    assert await bench.jobs.release(lost) is None
    assert await bench.now(job.id) == held


async def test_a_step_that_comes_after_a_cancel_writes_nothing(bench: Bench) -> None:
    job = await bench.at(JobState.SUBMITTING)
    running = await bench.claim(job.id)
    await bench.jobs.cancel(job.id)
    cancelled = await bench.now(job.id)
    assert await bench.jobs.bind(running, UPDATE, after=5) is None
    assert await bench.jobs.fail(running, "failed.internal") is None
    assert await bench.jobs.postpone(running, after=99) is None
    assert await bench.now(job.id) == cancelled


async def test_a_dm_is_intended_only_while_it_is_due(bench: Bench) -> None:
    job = await bench.at(JobState.NOTIFYING)
    claimed = await bench.claim(job.id)
    intended = await bench.jobs.intend_dm(claimed)
    assert intended is not None
    assert intended.dm_intent_at == bench.clock()
    assert await bench.jobs.intend_dm(job) is None


@pytest.mark.parametrize("state", [*OPEN_STATES, JobState.SUCCEEDED])
async def test_each_transition_leaves_a_row(state: JobState, bench: Bench) -> None:
    job = await bench.at(state)
    await bench.run_out(job.id)
    events = await bench.events(job.id)
    assert events[0] == (None, "received")
    assert [start for start, _ in events[1:]] == [end for _, end in events[:-1]]
    assert events[-1][1] == (await bench.now(job.id)).state


async def test_a_row_that_stays_in_its_state_leaves_no_event(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    before = await bench.events(job.id)
    await bench.step(job.id)
    assert await bench.events(job.id) == before


async def test_the_way_of_a_good_job_is_the_drawn_one(bench: Bench) -> None:
    job = await bench.at(JobState.SUCCEEDED)
    assert [end for _, end in await bench.events(job.id)] == [
        *("received", "queued", "submitting", "generating", "downloading", "merging"),
        *("delivering", "notifying", "succeeded"),
    ]


async def test_the_bus_hears_of_every_transition_after_its_commit(bench: Bench) -> None:
    seen: list[asyncio.Task[Job]] = []
    bench.bus.subscribe(lambda change: seen.append(asyncio.ensure_future(bench.now(change.job.id))))
    job = await bench.submit()
    await bench.step(job.id)
    assert [read.state for read in await asyncio.gather(*seen)][-1] is JobState.QUEUED
    assert [change.previous for change in bench.changes] == [
        None,
        JobState.RECEIVED,
        JobState.RECEIVED,
    ]


async def test_a_failing_subscriber_keeps_nothing_from_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_change: JobChanged) -> None:
        raise ZeroDivisionError

    heard: list[JobChanged] = []
    bench.bus.subscribe(fail)
    bench.bus.subscribe(heard.append)
    await bench.submit()
    assert heard
    assert "event.subscriber_failed" in caplog.text


async def test_a_message_is_stored_once(bench: Bench) -> None:
    job = await bench.submit(acknowledged=False)
    first = await bench.jobs.acknowledge(job.id, 5)
    assert first is not None
    assert first.next_at == bench.clock()
    assert await bench.jobs.acknowledge(job.id, 6) is None
    assert (await bench.now(job.id)).origin.message_id == 5


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_a_message_that_comes_after_the_end_shows_it(state: JobState, bench: Bench) -> None:
    job = await bench.submit(acknowledged=False)
    await bench.jobs.move(await bench.claim(job.id), state)
    await bench.run_out(job.id)
    bench.deliverer.cards.clear()
    assert await bench.jobs.acknowledge(job.id, 5) is not None
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.origin.message_id, ended.next_at) == (state, 5, None)
    assert bench.deliverer.cards == {job.id: str(state)}


async def test_an_acknowledgement_beats_the_step_that_looks_for_the_message(bench: Bench) -> None:
    job = await bench.submit(acknowledged=False)
    looking = await bench.claim(job.id)
    assert await bench.jobs.acknowledge(job.id, 5) is not None
    assert await bench.jobs.fail(looking, "failed.unacknowledged") is None
    assert (await bench.now(job.id)).state is JobState.RECEIVED


@pytest.mark.parametrize(
    "state",
    [
        JobState.RECEIVED,
        JobState.QUEUED,
        JobState.SUBMITTING,
        JobState.UNCONFIRMED,
        JobState.GENERATING,
        JobState.DOWNLOADING,
        JobState.MERGING,
    ],
)
async def test_a_job_can_be_cancelled_while_there_is_something_to_stop(
    state: JobState, bench: Bench
) -> None:
    job = await bench.at(state)
    cancelled = await bench.jobs.cancel(job.id)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    assert await bench.jobs.cancel(job.id) is None
    await bench.run_out(job.id)
    assert bench.deliverer.cards[job.id] == "cancelled"
    assert bench.backend.cancelled == ([job.remote_id] if job.remote_id else [])


@pytest.mark.parametrize("state", [JobState.DELIVERING, JobState.NOTIFYING, *ENDS])
async def test_a_job_past_stopping_is_not_cancelled(state: JobState, bench: Bench) -> None:
    job = await bench.at(state)
    assert await bench.jobs.cancel(job.id) is None
    assert await bench.now(job.id) == job


async def test_nothing_is_cancelled_by_a_made_up_id(bench: Bench) -> None:
    assert await bench.jobs.cancel("0" * 32) is None


async def test_an_undecided_job_is_decided_once(bench: Bench) -> None:
    job = await bench.at(JobState.UNDECIDED)
    retried = await bench.jobs.retry_undecided(job.id)
    assert retried is not None
    assert retried.state is JobState.QUEUED
    assert await bench.jobs.retry_undecided(job.id) is None
    assert await bench.jobs.cancel_undecided(job.id) is None


@pytest.mark.parametrize("by_cancel", [False, True])
async def test_an_undecided_job_can_be_given_up(bench: Bench, *, by_cancel: bool) -> None:
    job = await bench.at(JobState.UNDECIDED)
    given_up = await (bench.jobs.cancel if by_cancel else bench.jobs.cancel_undecided)(job.id)
    assert given_up is not None
    assert given_up.state is JobState.CANCELLED


async def test_a_cancel_wins_against_a_step_that_claims_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await bench.at(JobState.GENERATING)
    read = bench.store.get

    async def read_then_be_overtaken(job_id: str) -> Job | None:
        found = await read(job_id)
        if found is not None and found.epoch < job.epoch + 3:
            await bench.claim_again(job_id)
        return found

    monkeypatch.setattr(bench.store, "get", read_then_be_overtaken)
    cancelled = await bench.jobs.cancel(job.id)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED


async def test_a_decision_that_is_overtaken_for_ever_gives_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await bench.at(JobState.GENERATING)
    read = bench.store.get

    async def read_then_be_overtaken(job_id: str) -> Job | None:
        found = await read(job_id)
        await bench.claim_again(job_id)
        return found

    monkeypatch.setattr(bench.store, "get", read_then_be_overtaken)
    assert await bench.jobs.cancel(job.id) is None


async def test_a_failure_keeps_its_fields(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    await bench.jobs.fail(await bench.claim(job.id), "audio.too_long", seconds=7, name="x")
    failure = (await bench.now(job.id)).failure
    assert failure is not None
    assert (failure.key, failure.fields) == ("audio.too_long", {"seconds": 7, "name": "x"})


async def test_progress_never_falls(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    seen: list[int | None] = []
    for progress in (10, 40, 5, None, 41):
        claimed = await bench.claim(job.id)
        postponed = await bench.jobs.postpone(claimed, after=1, progress=progress)
        assert postponed is not None
        seen.append(postponed.progress)
    assert seen == [10, 40, 40, 40, 41]


async def test_no_progress_stays_unknown(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    postponed = await bench.jobs.postpone(await bench.claim(job.id), after=1)
    assert postponed is not None
    assert postponed.progress is None


async def test_a_claim_takes_what_is_due_oldest_first_and_no_more_than_asked(
    bench: Bench,
) -> None:
    jobs: list[Job] = []
    for _ in range(5):
        jobs.append(await bench.submit())
        bench.clock.advance(1)
    running, *due = jobs
    claimed = await bench.queue.claim([JobState.RECEIVED], running=[running.id], limit=2)
    assert {job.id for job in claimed} == {due[0].id, due[1].id}
    assert {job.epoch for job in claimed} == {running.epoch + 1}


async def test_a_claim_takes_only_its_own_states(bench: Bench) -> None:
    await bench.submit()
    assert await bench.queue.claim([JobState.QUEUED], running=(), limit=9) == []
    assert await bench.queue.seconds_until_due([JobState.QUEUED], running=()) is None


async def test_nobody_claims_what_is_not_due(bench: Bench) -> None:
    job = await bench.submit(acknowledged=False)
    assert await bench.queue.claim(ALL_STATES, running=(), limit=9) == []
    assert await bench.queue.seconds_until_due(ALL_STATES, running=()) == 10
    assert await bench.queue.seconds_until_due(ALL_STATES, running=[job.id]) is None
    bench.clock.advance(11)
    assert await bench.queue.seconds_until_due(ALL_STATES, running=()) == 0
    assert len(await bench.queue.claim(ALL_STATES, running=(), limit=9)) == 1


async def test_a_create_like_one_in_doubt_has_to_wait(bench: Bench) -> None:
    first = await bench.at(JobState.SUBMITTING)
    second = await bench.at(JobState.QUEUED)
    assert await bench.jobs.begin_submit(await bench.claim(second.id)) is None
    other = VideoRequest(prompt="a dog", model=None, seconds=8, size="1280x720")
    third = await bench.submit(other)
    await bench.step(third.id)
    assert await bench.jobs.begin_submit(await bench.claim(third.id)) is not None
    doubtful = await bench.jobs.move(await bench.claim(first.id), JobState.UNCONFIRMED)
    assert doubtful is not None
    assert await bench.jobs.begin_submit(await bench.claim(second.id)) is None
    await bench.jobs.cancel(first.id)
    assert await bench.jobs.begin_submit(await bench.claim(second.id)) is not None


async def test_a_repeated_create_carries_the_key_of_the_first_and_of_no_other_job(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.SUBMITTING)
    await bench.jobs.move(await bench.claim(job.id), JobState.QUEUED)
    again = await bench.jobs.begin_submit(await bench.claim(job.id))
    assert again is not None
    assert again.create_key == job.create_key
    assert (job.submits, again.submits) == (1, 2)
    await bench.jobs.cancel(job.id)
    other = await bench.at(JobState.SUBMITTING)
    assert other.create_key not in {None, job.create_key}


async def test_a_remote_job_belongs_to_one_job(bench: Bench) -> None:
    first = await bench.at(JobState.GENERATING)
    second = await bench.at(JobState.SUBMITTING)
    update = BackendUpdate(ref=first.remote_id or "", state=RemoteState.RUNNING)
    assert await bench.jobs.bind(await bench.claim(second.id), update, after=5) is None
    holders = await bench.remote_jobs.holders("fake", [update.ref, "video_99"])
    assert {ref: holder.job_id for ref, holder in holders.items()} == {update.ref: first.id}


async def test_the_deadline_counts_from_the_binding(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    assert job.generating_at == bench.clock()
    assert job.deadline_at == bench.clock() + 1800


async def test_a_webhook_that_comes_twenty_times_is_one_row_and_one_wake(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.changes.clear()
    news = await asyncio.gather(
        *(
            bench.jobs.receive_webhook(
                backend="fake", webhook_id="wh_1", remote_id=job.remote_id or ""
            )
            for _ in range(20)
        )
    )
    assert sorted(news) == [False] * 19 + [True]
    assert await count_rows(bench, "inbox") == 1
    assert len(bench.changes) == 1
    assert (await bench.now(job.id)).next_at == bench.clock()


async def test_a_webhook_before_the_create_has_returned_wakes_the_job_once_it_is_bound(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.SUBMITTING)
    claimed = await bench.claim(job.id)
    await bench.jobs.receive_webhook(backend="fake", webhook_id="wh_1", remote_id="video_x")
    bound = await bench.jobs.bind(claimed, UPDATE, after=5)
    assert bound is not None
    assert (await bench.now(job.id)).next_at == bench.clock()


async def test_without_an_early_webhook_the_first_poll_is_due_later(bench: Bench) -> None:
    job = await bench.at(JobState.SUBMITTING)
    await bench.jobs.bind(await bench.claim(job.id), UPDATE, after=5)
    assert (await bench.now(job.id)).next_at == bench.clock() + 5


async def test_a_webhook_during_a_poll_is_not_lost(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    polling = await bench.claim(job.id)
    await bench.jobs.receive_webhook(
        backend="fake", webhook_id="wh_1", remote_id=job.remote_id or ""
    )
    # The poll was sent before the video was done, so its "not yet" is outdated.
    assert await bench.jobs.postpone(polling, after=300) is None
    assert (await bench.now(job.id)).next_at == bench.clock()


async def test_a_webhook_after_the_end_changes_nothing(bench: Bench) -> None:
    job = await bench.at(JobState.SUCCEEDED)
    await bench.jobs.receive_webhook(
        backend="fake", webhook_id="wh_1", remote_id=job.remote_id or ""
    )
    assert await bench.now(job.id) == job


async def test_a_webhook_about_nothing_of_ours_is_kept_for_a_week(bench: Bench) -> None:
    await bench.jobs.receive_webhook(backend="fake", webhook_id="wh_1", remote_id="video_x")
    assert await bench.unconfirmed.unclaimed("fake") == ("video_x",)
    assert await bench.unconfirmed.unclaimed("another") == ()
    bench.clock.advance(KEEP_SECONDS)
    await bench.jobs.sweep()
    assert await count_rows(bench, "inbox") == 1
    bench.clock.advance(1)
    await bench.jobs.sweep()
    assert await count_rows(bench, "inbox") == 0


async def test_a_ref_that_a_job_has_is_no_hint(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    await bench.jobs.receive_webhook(
        backend="fake", webhook_id="wh_1", remote_id=job.remote_id or ""
    )
    assert await bench.unconfirmed.unclaimed("fake") == ()


async def test_a_token_is_forgotten_when_it_is_of_no_use(bench: Bench) -> None:
    job = await bench.submit()
    await bench.jobs.sweep()
    assert (await bench.now(job.id)).origin.token is not None
    bench.clock.now = job.origin.token_until + 1
    await bench.jobs.sweep()
    assert (await bench.now(job.id)).origin.token is None


async def test_a_token_that_was_refused_is_forgotten(bench: Bench) -> None:
    job = await bench.submit()
    await bench.jobs.delete_token(job.id)
    assert (await bench.now(job.id)).origin.token is None


@pytest.mark.parametrize("state", ENDS)
async def test_no_token_outlives_its_job(state: JobState, bench: Bench) -> None:
    job = await bench.at(state)
    await bench.run_out(job.id)
    assert (await bench.now(job.id)).origin.token is None


async def test_the_address_of_an_attachment_is_forgotten_once_it_was_fetched(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED, attachment=VOICE)
    assert job.attachment is not None
    assert (job.attachment.url, job.attachment.filename) == (None, "voice.ogg")


async def test_a_held_delivery_is_due_again_when_it_is_woken(bench: Bench) -> None:
    held = await bench.at(JobState.DELIVERING)
    await bench.jobs.postpone(await bench.claim(held.id), after=3600)
    waiting = await bench.at(JobState.GENERATING)
    bench.clock.advance(-1)
    assert await bench.jobs.wake_postponed_deliveries() == 1
    assert (await bench.now(held.id)).next_at == bench.clock()
    assert (await bench.now(waiting.id)).next_at == waiting.next_at


async def test_an_artifact_is_replaced_by_a_repeated_step(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING)
    assert await bench.artifacts.get(job.id) is None
    for size in (1, 2):
        await bench.artifacts.save(
            Artifact(job_id=job.id, size=size, sha256=f"{size:064}", created_at=START)
        )
    stored = await bench.artifacts.get(job.id)
    assert stored is not None
    assert (stored.size, stored.sha256, stored.created_at) == (2, f"{2:064}", START)


async def test_usage_is_counted_as_the_caps_count_it(bench: Bench) -> None:
    await bench.submit(user_id=1)
    await bench.at(JobState.SUCCEEDED)
    usage = await bench.store.usage(origin(), now=bench.clock())
    assert (usage.open_of_user, usage.open_in_all, usage.today) == (1, 1, 2)


def test_requests_that_differ_have_different_fingerprints() -> None:
    requests = [
        VideoRequest(prompt=prompt, model=model, seconds=seconds, size=size)
        for prompt in ("a", "b")
        for model in (None, "m")
        for seconds in (4, 8)
        for size in ("2x2", "4x4")
    ]
    assert len({request.fingerprint for request in requests}) == len(requests)
