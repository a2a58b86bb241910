"""The job store: transitions, decisions by people, and the deletion of old data."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Artifact
from bot.model import TRANSITIONS, JobState, VideoRequest
from storage.errors import StorageError
from storage.jobs.store import Changes
from tests.support.fakes.clock import START
from tests.support.fakes.orders import REQUEST, VOICE, origin
from tests.support.jobs import UPDATE

if TYPE_CHECKING:
    from bot.model import Job, JobChanged
    from tests.support.fakes.bench import Bench

OPEN_STATES = [state for state in JobState if not state.is_final]
ENDS = [state for state in JobState if state.is_final]
ILLEGAL = [
    (state, to) for state, legal in TRANSITIONS.items() for to in JobState if to not in legal
]


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


@pytest.mark.parametrize(("state", "to"), ILLEGAL)
async def test_only_legal_transitions_are_made(state: JobState, to: JobState, bench: Bench) -> None:
    job = await bench.at(state)
    with pytest.raises(ValueError, match="no transition"):
        await bench.jobs.move(job, to)
    assert await bench.now(job.id) == job


@pytest.mark.parametrize("state", ENDS)
def test_no_transition_leaves_a_final_state(state: JobState) -> None:
    assert not TRANSITIONS[state]


@pytest.mark.parametrize("state", OPEN_STATES)
def test_every_open_state_leads_to_a_final_one(state: JobState) -> None:
    reached = {state}
    while (wider := reached.union(*(TRANSITIONS[each] for each in reached))) != reached:
        reached = wider
    assert JobState.SUCCEEDED in reached


async def test_the_table_itself_refuses_a_state_that_lacks_its_facts(bench: Bench) -> None:
    job = await bench.submit(acknowledged=False)
    with pytest.raises(StorageError):
        await bench.jobs.move(job, JobState.QUEUED)
    queued = await bench.at(JobState.QUEUED)
    with pytest.raises(StorageError):
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


async def test_a_step_that_ends_after_a_cancel_writes_nothing(bench: Bench) -> None:
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
    intended = await bench.card_records.intend_dm(claimed)
    assert intended is not None
    assert intended.dm_intent_at == bench.clock()
    assert await bench.card_records.intend_dm(job) is None


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


async def test_the_states_of_a_successful_job_are_the_documented_ones(bench: Bench) -> None:
    job = await bench.at(JobState.SUCCEEDED)
    assert [end for _, end in await bench.events(job.id)] == [
        *("received", "queued", "submitting", "generating", "downloading", "merging"),
        *("delivering", "notifying", "succeeded"),
    ]


async def test_every_transition_is_published_after_its_commit(bench: Bench) -> None:
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


async def test_a_failing_subscriber_does_not_affect_the_others(
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
async def test_a_message_that_is_stored_after_the_end_shows_it(
    state: JobState, bench: Bench
) -> None:
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
async def test_a_job_that_can_not_be_stopped_is_not_cancelled(
    state: JobState, bench: Bench
) -> None:
    job = await bench.at(state)
    assert await bench.jobs.cancel(job.id) is None
    assert await bench.now(job.id) == job


async def test_nothing_is_cancelled_by_an_unknown_id(bench: Bench) -> None:
    assert await bench.jobs.cancel("0" * 32) is None


async def test_an_undecided_job_is_decided_once(bench: Bench) -> None:
    job = await bench.at(JobState.UNDECIDED)
    retried = await bench.jobs.retry_undecided(job.id)
    assert retried is not None
    assert retried.state is JobState.QUEUED
    assert await bench.jobs.retry_undecided(job.id) is None
    assert await bench.jobs.cancel_undecided(job.id) is None


@pytest.mark.parametrize("by_cancel", [False, True])
async def test_an_undecided_job_can_be_cancelled(bench: Bench, *, by_cancel: bool) -> None:
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


async def test_a_decision_that_always_loses_a_race_returns_nothing(
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


async def test_progress_never_decreases(bench: Bench) -> None:
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


async def test_the_deadline_counts_from_the_binding(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    assert job.generating_at == bench.clock()
    assert job.deadline_at == bench.clock() + 1800


async def test_an_expired_token_is_deleted(bench: Bench) -> None:
    job = await bench.submit()
    await bench.jobs.sweep()
    assert (await bench.now(job.id)).origin.token is not None
    bench.clock.now = job.origin.token_until + 1
    await bench.jobs.sweep()
    assert (await bench.now(job.id)).origin.token is None


async def test_a_refused_token_is_deleted(bench: Bench) -> None:
    job = await bench.submit()
    await bench.card_records.delete_token(job.id)
    assert (await bench.now(job.id)).origin.token is None


@pytest.mark.parametrize("state", ENDS)
async def test_no_token_outlives_its_job(state: JobState, bench: Bench) -> None:
    job = await bench.at(state)
    await bench.run_out(job.id)
    assert (await bench.now(job.id)).origin.token is None


async def test_the_url_of_a_fetched_attachment_is_deleted(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED, attachment=VOICE)
    assert job.attachment is not None
    assert (job.attachment.url, job.attachment.filename) == (None, "voice.ogg")


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


def test_requests_that_differ_have_different_fingerprints() -> None:
    requests = [
        VideoRequest(prompt=prompt, model=model, seconds=seconds, size=size)
        for prompt in ("a", "b")
        for model in (None, "m")
        for seconds in (4, 8)
        for size in ("2x2", "4x4")
    ]
    assert len({request.fingerprint for request in requests}) == len(requests)
