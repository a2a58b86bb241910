"""Any number of steps that take minutes delays no step of another kind."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.backends.base import BackendUpdate, RemoteState
from bot.errors import BackendError, ErrorKind
from bot.jobs.worker import make_lanes
from bot.model import JobState
from tests.support.fakes.orders import REQUEST, VOICE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.model import Attachment, Job
    from tests.support.fakes.bench import Bench

# More than any lane has slots.
MANY = 20


async def for_ever(*_: object, **__: object) -> Any:
    await asyncio.Event().wait()


@asynccontextmanager
async def running(bench: Bench) -> AsyncGenerator[None]:
    """Run the app's lanes, and cancel their steps on exit."""
    bench.pipeline = bench.build_pipeline()
    workers = [bench.worker(lane) for lane in make_lanes(bench.lane.steps)]
    for worker in workers:
        bench.bus.subscribe(worker.on_job_changed)
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        await asyncio.gather(*(worker.stop(grace=0) for worker in workers))
        await asyncio.gather(*tasks)


async def advanced(
    bench: Bench, prompt: str, state: JobState, attachment: Attachment | None = None
) -> Job:
    """Submit a job, and run its steps until it is in `state`."""
    job = await bench.submit(replace(REQUEST, prompt=prompt), attachment=attachment)
    while (now := await bench.now(job.id)).state is not state:
        await bench.step(job.id)
    return now


async def reaches(bench: Bench, job: Job, state: JobState) -> None:
    await bench.until(
        lambda: any(c.job.id == job.id and c.job.state is state for c in bench.changes)
    )


async def test_narrations_that_arrive_slowly_delay_no_prompt(bench: Bench) -> None:
    bench.editor.ingest = for_ever
    async with running(bench):
        for number in range(MANY):
            await bench.submit(replace(REQUEST, prompt=f"slow {number}"), attachment=VOICE)
        free = await bench.submit(replace(REQUEST, prompt="free"))
        await reaches(bench, free, JobState.GENERATING)


async def test_narrations_that_are_added_slowly_delay_no_other_video(bench: Bench) -> None:
    bench.backend.finish()
    for number in range(MANY):
        await advanced(bench, f"slow {number}", JobState.MERGING, VOICE)
    free = await advanced(bench, "free", JobState.MERGING)
    bench.editor.works.clear()
    async with running(bench):
        await reaches(bench, free, JobState.SUCCEEDED)


async def test_final_downloads_delay_no_poll(bench: Bench) -> None:
    jobs = [await advanced(bench, f"slow {number}", JobState.GENERATING) for number in range(MANY)]
    free = jobs.pop()
    remote = bench.backend.charged
    for job in jobs:
        remote[job.remote_id or ""].state = RemoteState.FAILED
        remote[job.remote_id or ""].error = BackendError(ErrorKind.GONE, "no such file")
    remote[free.remote_id or ""].state = RemoteState.DONE
    fetch = bench.backend.fetch

    async def drip(update: BackendUpdate, *args: Any, **options: Any) -> None:
        await (fetch if update.ref == free.remote_id else for_ever)(update, *args, **options)

    bench.backend.fetch = drip
    bench.clock.advance(60)
    async with running(bench):
        await reaches(bench, free, JobState.SUCCEEDED)
        waiting = [await bench.now(job.id) for job in jobs]
    assert {job.state for job in waiting} == {JobState.GENERATING}


async def test_cancels_without_an_answer_delay_no_news_of_a_failure(bench: Bench) -> None:
    jobs = [await advanced(bench, f"slow {number}", JobState.GENERATING) for number in range(MANY)]
    bench.backend.cancel = for_ever
    for job in jobs:
        await bench.jobs.cancel(job.id)
    bench.backend.refusals.append(BackendError(ErrorKind.MODERATED, "no"))
    failed = await advanced(bench, "free", JobState.FAILED)
    shown = asyncio.Event()

    async def show(job: Job) -> None:
        if job.id == failed.id:
            shown.set()

    bench.deliverer.show = show
    async with running(bench), asyncio.timeout(5):
        await shown.wait()
