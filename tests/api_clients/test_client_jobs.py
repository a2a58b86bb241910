"""Jobs of API clients, in the steps that they share with jobs from Discord."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.delivery.views.button_ids import Action
from bot.errors import UserError
from bot.jobs.worker import Lane
from bot.model import Client, JobState
from cogs._permissions import require_permission
from storage.errors import StorageError
from tests.support.clients.site import Caller, open_site
from tests.support.fakes.orders import REQUEST

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.model import Job
    from tests.support.fakes.bench import Bench

# Makes the disk full when the last state is written.
NO_ROOM = """
CREATE TRIGGER no_room BEFORE UPDATE OF state ON jobs WHEN NEW.state = 'succeeded'
BEGIN SELECT RAISE(ABORT, 'no room'); END
"""


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def test_what_needs_no_discord_goes_on_before_the_bot_is_logged_in(bench: Bench) -> None:
    theirs = await bench.submit()
    ours = await bench.jobs.submit(REQUEST, Client(name="web"), None)
    assert ours is not None
    steps = {state: bench.lane.steps[state] for state in (JobState.RECEIVED, JobState.CANCELLED)}
    worker = bench.worker(Lane(name="intake", slots=3, steps=steps, needs_discord=True))
    worker.pause_discord()
    bench.bus.subscribe(worker.on_job_changed)
    running = asyncio.create_task(worker.run())

    await bench.until(lambda: bench.changed_to(JobState.QUEUED))
    assert (await bench.now(ours.id)).state is JobState.QUEUED
    assert (await bench.now(theirs.id)).state is JobState.RECEIVED
    bench.changes.clear()
    worker.resume_discord()
    await bench.until(lambda: bench.changed_to(JobState.QUEUED))
    assert (await bench.now(theirs.id)).state is JobState.QUEUED
    await worker.stop(grace=1)
    await running


async def test_a_crash_at_the_very_end_does_not_disown_the_narration(caller: Caller) -> None:
    bench = caller.bench

    async def voice() -> AsyncGenerator[bytes]:
        yield b"OggS a voice"

    upload = await caller.clients.receive_audio(voice(), filename="voice.ogg")
    job = await caller.clients.submit("web", "a cat", upload)
    while (await bench.now(job.id)).state is not JobState.MERGING:
        bench.backend.finish()
        await bench.step(job.id)
    await bench.database.rows(NO_ROOM, {})
    with pytest.raises(StorageError, match="no room"):
        await bench.step(job.id)
    await bench.database.rows("DROP TRIGGER no_room", {})
    ended = await bench.run_out(job.id)

    assert (ended.state, ended.note) == (JobState.SUCCEEDED, None)
    assert bench.workspace.video(job.id).read_bytes().endswith(b"with voice")


@pytest.mark.parametrize("action", Action)
async def test_a_button_with_the_id_of_a_clients_job_is_nobodys(
    bench: Bench, action: Action
) -> None:
    job: Job | None = await bench.jobs.submit(REQUEST, Client(name="web"), None)
    person = SimpleNamespace(user=SimpleNamespace(id=1), channel_id=3)
    with pytest.raises(UserError, match=r"reply\.unknown"):
        require_permission(cast("Any", person), job, action)
