"""What people delete, and what is not kept for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.model import JobState
from tests.fakes import CAPS, REQUEST, VOICE

if TYPE_CHECKING:
    from tests.fakes import Bench

ENDS = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
OPEN = tuple(state for state in JobState if state not in ENDS)


async def ended(bench: Bench, state: JobState = JobState.SUCCEEDED) -> str:
    """Let a narrated job end, with files in all its places, and return its id."""
    job = await bench.run_out((await bench.at(state, attachment=VOICE)).id)
    folder = await bench.workspace.create(job.id)
    folder.clip.write_bytes(b"clip")
    for path in (bench.workspace.video(job.id), bench.workspace.narration(job.id)):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"kept")
    return job.id


def files(bench: Bench, job_id: str) -> list[str]:
    """Name what lies on the disk of a job."""
    places = (bench.workspace.folder(job_id).path, bench.workspace.video(job_id))
    paths = (*places, bench.workspace.narration(job_id))
    return [path.parent.name for path in paths if path.exists()]


@pytest.mark.parametrize("state", ENDS)
async def test_nothing_but_an_empty_row_is_left_of_a_deleted_job(
    bench: Bench, state: JobState
) -> None:
    job_id = await ended(bench, state)
    assert len(files(bench, job_id)) == 3
    assert await bench.keeper.delete(job_id)
    assert files(bench, job_id) == []
    assert await bench.artifacts.get(job_id) is None
    job = await bench.now(job_id)
    assert (job.state, job.deleted_at) == (state, bench.clock())
    assert (job.attachment, job.failure, job.origin.token) == (None, None, None)
    [row] = await bench.database.rows("SELECT * FROM jobs", {})
    assert not {REQUEST.prompt, REQUEST.fingerprint, VOICE.filename, VOICE.url} & set(row)


@pytest.mark.parametrize("state", OPEN)
async def test_an_open_job_is_not_deleted(bench: Bench, state: JobState) -> None:
    job = await bench.at(state, attachment=VOICE)
    assert not await bench.keeper.delete(job.id)
    assert await bench.now(job.id) == job


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_a_job_whose_card_does_not_show_its_end_yet_is_not_deleted(
    bench: Bench, state: JobState
) -> None:
    job = await bench.at(state)
    assert not await bench.keeper.delete(job.id)
    assert (await bench.now(job.id)).request == job.request


async def test_a_job_that_nobody_knows_is_not_deleted(bench: Bench) -> None:
    assert not await bench.keeper.delete("0" * 32)


async def test_deleting_again_keeps_the_first_time(bench: Bench) -> None:
    job_id = await ended(bench)
    assert await bench.keeper.delete(job_id)
    at = bench.clock()
    bench.clock.advance(60)
    assert await bench.keeper.delete(job_id)
    assert (await bench.now(job_id)).deleted_at == at


async def test_the_days_cap_counts_what_was_deleted(bench: Bench) -> None:
    job_id = await ended(bench)
    before = await bench.store.usage(1, now=bench.clock())
    await bench.keeper.delete(job_id)
    assert await bench.store.usage(1, now=bench.clock()) == before
    assert before.today == 1 <= CAPS.per_day


async def test_a_file_that_is_being_read_stays_readable_to_its_reader(bench: Bench) -> None:
    job_id = await ended(bench)
    with bench.workspace.video(job_id).open("rb") as file:
        assert await bench.keeper.delete(job_id)
        assert file.read() == b"kept"
