"""The sent prompt: written once, stored before the POST, and used to find the remote job."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.capabilities import Capabilities
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError
from bot.model import HoldReason, JobState
from bot.prompts.reading import PromptReader
from bot.prompts.template import TemplateWriter
from storage.database import open_database
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import CAPS, Bench, open_bench
from tests.support.fakes.clock import PATIENCE, Clock
from tests.support.fakes.deliverer import FakeDeliverer
from tests.support.fakes.orders import REQUEST
from tests.support.fakes.prompts import FakeWriter
from tests.support.mortal_database import Killed, MortalDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

FIRST_TAKE = f"{REQUEST.prompt}\n\nTake 1."


@pytest.fixture
def writer() -> FakeWriter:
    return FakeWriter()


@pytest.fixture
async def bench(tmp_path: Path, clock: Clock, writer: FakeWriter) -> AsyncGenerator[Bench]:
    async with open_bench(tmp_path, clock, writer=writer) as opened:
        yield opened


async def test_the_provider_gets_the_written_prompt_and_the_job_keeps_the_typed_one(
    bench: Bench, writer: FakeWriter
) -> None:
    job = await bench.at(JobState.SUCCEEDED)
    assert bench.backend.only.request == replace(REQUEST, prompt=FIRST_TAKE)
    assert (job.request, job.sent_prompt) == (REQUEST, FIRST_TAKE)
    assert writer.rooms == [bench.backend.capabilities.prompt_characters]


async def test_the_library_is_searched_by_the_requesters_words_alone(bench: Bench) -> None:
    await bench.at(JobState.SUCCEEDED)
    assert (await bench.library.page(1, search="roof")).total == 1
    assert (await bench.library.page(1, search="Take")).total == 0


async def test_the_sent_prompt_is_stored_before_the_post(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.backend.answer.clear()
    stepping = asyncio.create_task(bench.step(job.id))
    async with asyncio.timeout(PATIENCE):
        await bench.backend.in_submit.wait()
    during = await bench.now(job.id)
    assert (during.state, during.sent_prompt) == (JobState.SUBMITTING, FIRST_TAKE)
    bench.backend.answer.set()
    await stepping


async def test_a_clearly_refused_post_is_repeated_with_the_same_prompt(
    bench: Bench, writer: FakeWriter
) -> None:
    bench.backend.refusals += [BackendError(ErrorKind.RATE, "busy")] * 2
    job = await bench.at(JobState.GENERATING)
    assert bench.backend.posts == 3
    assert job.sent_prompt == bench.backend.only.request.prompt == FIRST_TAKE
    assert len(writer.written) == 1


async def test_an_unconfirmed_create_is_found_by_its_sent_prompt(bench: Bench) -> None:
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    job = await bench.at(JobState.GENERATING)
    assert job.remote_id == bench.backend.only.ref
    assert bench.backend.posts == 1


async def test_a_create_that_is_absent_is_sent_again_as_it_was(
    bench: Bench, writer: FakeWriter
) -> None:
    await bench.trust_list()
    bench.backend.refusals.append(UnconfirmedSubmitError("never arrived"))
    await bench.at(JobState.GENERATING)
    assert bench.backend.posts == 2
    assert bench.backend.only.request.prompt == FIRST_TAKE
    assert len(writer.written) == 1


async def test_a_retry_of_an_undecided_job_sends_the_same_prompt(
    bench: Bench, writer: FakeWriter
) -> None:
    bench.backend.refusals.append(UnconfirmedSubmitError("no answer"))
    bench.backend.complete = False
    job = await bench.submit()
    assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    await bench.jobs.retry_undecided(job.id)
    bench.backend.finish()
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.backend.only.request.prompt == FIRST_TAKE
    assert len(writer.written) == 1


async def test_two_jobs_with_the_same_typed_prompt_differ_by_their_sent_prompts(
    bench: Bench,
) -> None:
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    first = await bench.at(JobState.UNCONFIRMED)
    second = await bench.at(JobState.GENERATING)
    found = await bench.run_out(first.id, steps=1)
    assert (found.remote_id, second.remote_id) == ("video_1", "video_2")


async def test_a_job_with_the_same_sent_prompt_waits(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock) as bench:
        bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
        await bench.at(JobState.UNCONFIRMED)
        twin = await bench.at(JobState.QUEUED)
        assert (await bench.step(twin.id)).state is JobState.QUEUED
        assert bench.backend.posts == 1


async def test_a_prompt_that_no_service_writes_is_stored_with_the_intent_to_submit(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, writer=TemplateWriter(PromptReader.load())) as bench:
        job = await bench.at(JobState.QUEUED)
        bench.backend.answer.clear()
        stepping = asyncio.create_task(bench.step(job.id))
        async with asyncio.timeout(PATIENCE):
            await bench.backend.in_submit.wait()
        during = await bench.now(job.id)
        assert during.sent_prompt == bench.backend.only.request.prompt != REQUEST.prompt
        assert during.epoch == job.epoch + 1, "only the claim has changed the job before"
        bench.backend.answer.set()
        await stepping


@pytest.mark.usefixtures("_on_each_database")
async def test_a_job_waits_for_a_twin_whose_length_no_list_shows(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, writer=TemplateWriter(PromptReader.load())) as bench:
        bench.backend.capabilities = replace(
            bench.backend.capabilities, echoes=frozenset({"prompt"})
        )
        first = await bench.at(JobState.QUEUED)
        longer = await bench.submit(replace(REQUEST, seconds=REQUEST.seconds + 4))
        await bench.jobs.move(await bench.claim(longer.id), JobState.QUEUED)
        bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
        assert (await bench.step(first.id)).state is JobState.UNCONFIRMED
        waiting = await bench.step(longer.id)
        assert (waiting.state, waiting.hold) == (JobState.QUEUED, HoldReason.TWIN)
        assert bench.backend.posts == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_kill_at_any_statement_sends_the_stored_prompt(
    *, after: bool, tmp_path: Path, clock: Clock
) -> None:
    for kill_at in range(1, 200):
        root = tmp_path / str(kill_at)
        backend, deliverer, writer = FakeBackend(clock), FakeDeliverer(), FakeWriter()
        backend.finish()
        survived = False
        root.mkdir()
        async with open_database(root) as database:
            mortal = Bench(
                MortalDatabase(database, kill_at=kill_at, after=after),
                root,
                clock=clock,
                backend=backend,
                deliverer=deliverer,
                caps=CAPS,
                writer=writer,
            )
            with suppress(Killed):
                await mortal.run_out((await mortal.submit()).id)
                survived = True
        async with open_bench(
            root, clock, backend=backend, deliverer=deliverer, writer=writer
        ) as bench:
            await bench.trust_list()
            for row in await bench.database.rows("SELECT id FROM jobs", {}):
                job = await bench.run_out(row["id"])
                assert (job.state, backend.posts) == (JobState.SUCCEEDED, 1)
                assert job.sent_prompt == backend.only.request.prompt
        if survived:
            assert kill_at > 10
            return
    pytest.fail("it never came to its end")


async def test_a_prompt_is_rewritten_for_another_backend(bench: Bench, writer: FakeWriter) -> None:
    bench.backend.refusals.append(BackendError(ErrorKind.RATE, "busy"))
    job = await bench.at(JobState.QUEUED)
    assert (await bench.step(job.id)).sent_prompt == FIRST_TAKE
    await bench.database.rows("UPDATE jobs SET backend = 'former'", {})
    bench.backend.capabilities = Capabilities(prompt_characters=50)
    sent = await bench.step(job.id)
    assert (sent.state, sent.backend) == (JobState.GENERATING, "fake")
    assert sent.sent_prompt == bench.backend.only.request.prompt == writer.written[1]
    assert writer.rooms == [2000, 50]


@pytest.mark.parametrize(
    ("fault", "told", "is_a_bug"),
    [
        (BackendError(ErrorKind.TRANSIENT, "no answer"), "'transient: no answer'", False),
        (RuntimeError("a bug"), "'a bug'", True),
    ],
)
async def test_a_failing_writer_is_replaced_and_that_is_logged(  # noqa: PLR0917 - fixtures
    fault: Exception,
    told: str,
    is_a_bug: bool,  # noqa: FBT001 - a row of the table
    bench: Bench,
    writer: FakeWriter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer.faults.append(fault)
    job = await bench.at(JobState.GENERATING)
    assert bench.backend.only.request.prompt == REQUEST.prompt
    assert f"prompt.unwritten id={job.id} writer=fake error={told}" in caplog.text
    assert ("Traceback" in caplog.text) is is_a_bug


async def test_a_job_that_is_cancelled_while_its_prompt_is_written_is_not_sent(
    bench: Bench, writer: FakeWriter
) -> None:
    job = await bench.at(JobState.QUEUED)
    claimed = await bench.claim(job.id)
    await bench.jobs.cancel(job.id)
    await bench.pipeline.steps[JobState.QUEUED](claimed)
    assert len(writer.written) == 1
    assert bench.backend.posts == 0
    assert (await bench.now(job.id)).sent_prompt is None


async def test_a_deleted_job_keeps_no_sent_prompt(bench: Bench) -> None:
    job = await bench.submit()
    bench.backend.finish()
    await bench.run_out(job.id)
    assert await bench.retention.delete(job.id)
    [row] = await bench.database.rows("SELECT * FROM jobs", {})
    assert not any("Take" in str(value) for value in row)
