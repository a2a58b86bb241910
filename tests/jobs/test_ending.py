"""The delivery of a video, and the last steps of ended jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Handover
from bot.backends.base import RemoteState
from bot.errors import BackendError, DeliveryError, ErrorKind, MediaError
from bot.model import JobState
from storage.errors import StorageError
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.deliverer import FakeDeliverer
from tests.support.fakes.orders import VOICE
from tests.support.outcomes import assert_failed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.clock import Clock


async def test_a_postponed_delivery_waits_and_is_woken_by_a_restart(
    tmp_path: Path, clock: Clock
) -> None:
    deliverer, backend = FakeDeliverer(handover=Handover.HELD), FakeBackend(clock)
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        job = await bench.at(JobState.DELIVERING)
        held = await bench.step(job.id)
        assert (held.state, held.next_at) == (JobState.DELIVERING, clock() + 3600)
    deliverer.handover = Handover.CARD
    async with open_bench(tmp_path, clock, backend=backend, deliverer=deliverer) as bench:
        assert await bench.jobs.wake_postponed_deliveries() == 1
        assert (await bench.now(job.id)).next_at == clock()
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert deliverer.dms == {job.id: 1}


async def test_a_video_without_its_card_is_sent_by_dm_with_its_notes(
    bench: Bench,
) -> None:
    bench.deliverer.handover = Handover.DM
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    bench.editor.faults += [MediaError("boom"), MediaError("boom")]
    ended = await bench.run_out(job.id)
    assert (ended.state, ended.card_gone) == (JobState.SUCCEEDED, True)
    assert ended.note == "note.not_merged"


@pytest.mark.parametrize("state", [JobState.DELIVERING, JobState.NOTIFYING])
async def test_a_delivery_that_discord_refuses_for_now_is_retried(
    state: JobState, bench: Bench
) -> None:
    job = await bench.at(state)
    bench.deliverer.faults.append(DeliveryError("down"))
    with pytest.raises(DeliveryError):
        await bench.step(job.id)
    assert (await bench.now(job.id)).state is state
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.deliverer.dms == {job.id: 1}


async def test_a_delivery_that_fails_for_a_day_is_left_to_the_dm_and_then_to_the_library(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    job = await bench.at(JobState.DELIVERING)
    for state in (JobState.NOTIFYING, JobState.SUCCEEDED):
        bench.deliverer.faults = [DeliveryError("down")]
        # The worker counts these attempts, minutes apart.
        await bench.database.rows("UPDATE jobs SET attempts = 299", {})
        with pytest.raises(DeliveryError):
            await bench.step(job.id)
        await bench.database.rows("UPDATE jobs SET attempts = 300", {})
        bench.deliverer.faults = [DeliveryError("down")]
        assert (await bench.step(job.id)).state is state
    assert bench.workspace.video(job.id).exists()
    artifact = await bench.artifacts.get(job.id)
    assert artifact is not None
    assert artifact.delivered_at is None
    assert [r.getMessage().split()[0] for r in caplog.records if r.levelname == "ERROR"] == [
        "delivery.card_given_up",
        "delivery.left_to_library",
    ]


async def test_a_video_that_was_deleted_before_its_delivery_fails_the_job(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.DELIVERING)
    bench.workspace.video(job.id).unlink()
    await assert_failed(bench, job, "failed.file_gone", sentences)


@pytest.mark.parametrize("card_gone", [False, True])
async def test_a_video_that_was_deleted_before_its_dm_ends_the_job(
    bench: Bench, *, card_gone: bool
) -> None:
    bench.deliverer.handover = Handover.DM if card_gone else Handover.CARD
    job = await bench.at(JobState.NOTIFYING)
    bench.workspace.video(job.id).unlink()
    assert (await bench.step(job.id)).state is JobState.SUCCEEDED
    assert bench.deliverer.dms[job.id] == int(not card_gone), "only a link to the card can be sent"


async def test_a_cancelled_job_is_stopped_upstream_once_even_if_its_card_fails(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.GENERATING)
    await bench.jobs.cancel(job.id)
    claimed = await bench.claim(job.id)
    bench.deliverer.faults.append(DeliveryError("down"))
    with pytest.raises(DeliveryError):
        await bench.pipeline.steps[JobState.CANCELLED](claimed)
    await bench.jobs.postpone(claimed, after=1, attempts=1)
    await bench.run_out(job.id)
    assert bench.backend.cancelled == ["video_1"]
    assert bench.deliverer.cards[job.id] == "cancelled"


@pytest.mark.parametrize(("faults", "cancelled"), [(2, ["video_1"]), (9, [])])
async def test_a_cancel_that_fails_for_now_is_retried_a_few_times(
    bench: Bench, faults: int, cancelled: list[str]
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.cancel_faults += [BackendError(ErrorKind.TRANSIENT, "down")] * faults
    await bench.jobs.cancel(job.id)
    waiting = await bench.step(job.id)
    assert bench.deliverer.cards[job.id] == "cancelled"
    assert waiting.next_at is not None
    began = bench.clock()
    assert (await bench.run_out(job.id)).next_at is None
    assert bench.backend.cancelled == cancelled
    assert bench.clock() - began < 600
    assert len(bench.backend.cancel_faults) == max(0, faults - 6)


async def test_a_refused_cancel_does_not_delay_the_card(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.cancel_faults.append(BackendError(ErrorKind.INTERNAL, "can't"))
    await bench.jobs.cancel(job.id)
    await bench.run_out(job.id)
    assert bench.deliverer.cards[job.id] == "cancelled"


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_an_ended_job_leaves_no_files(state: JobState, bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    assert bench.workspace.folder(job.id).path.exists()
    await bench.jobs.move(await bench.claim(job.id), state)
    await bench.run_out(job.id)
    assert not bench.workspace.folder(job.id).path.exists()


async def test_the_files_are_deleted_before_success_is_committed(bench: Bench) -> None:
    job = await bench.at(JobState.NOTIFYING, attachment=VOICE)
    left = bench.workspace.folder(job.id).path
    at_commit: list[bool] = []
    bench.bus.subscribe(lambda _: at_commit.append(left.exists()))
    await bench.run_out(job.id)
    assert at_commit == [False]


async def test_the_files_are_deleted_before_a_failed_job_is_released(bench: Bench) -> None:
    job = await bench.at(JobState.MERGING, attachment=VOICE)
    await bench.jobs.fail(await bench.claim(job.id), "failed.bug", incident=job.id)
    claimed = await bench.claim(job.id)
    async with bench.unwritable():
        with pytest.raises(StorageError):
            await bench.pipeline.steps[JobState.FAILED](claimed)
    assert not bench.workspace.folder(job.id).path.exists()
    assert (await bench.run_out(job.id)).next_at is None


async def test_a_failed_remote_job_is_never_created_again(
    bench: Bench, sentences: frozenset[str]
) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.backend.only.state = RemoteState.FAILED
    bench.backend.only.error = BackendError(ErrorKind.MODERATED, "no")
    await assert_failed(bench, job, "failed.moderated", sentences)
    assert bench.backend.posts == 1


async def test_a_card_that_can_not_be_shown_is_no_reason_to_stop_asking_for_the_cancel(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.GENERATING)
    await bench.jobs.cancel(job.id)
    bench.backend.cancel_faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
    bench.deliverer.faults.append(DeliveryError("down"))
    worker = bench.worker()
    while (await bench.now(job.id)).next_at is not None:
        await worker._step(await bench.claim(job.id))  # noqa: SLF001 - one step, as the lane runs it
    assert bench.backend.cancelled == [job.remote_id]
