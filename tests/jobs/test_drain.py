"""Queued jobs wait while the operator drains the queue; jobs at the provider continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.model import JobState
from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, Change, Setting

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")


async def pause(bench: Bench, pause: Pause | None) -> None:
    value = None if pause is None else str(pause)
    change = Change(scope=EVERYWHERE, name=Setting.PAUSE, value=value)
    await bench.access.change(change, actor=None, now=bench.clock())


async def claimed(bench: Bench) -> list[str]:
    return [job.id for job in await bench.queue.claim((JobState.QUEUED,), running=(), limit=9)]


async def test_no_queued_job_is_sent_until_the_operator_resumes(bench: Bench) -> None:
    at_provider = await bench.at(JobState.GENERATING)
    queued = await bench.at(JobState.QUEUED)
    await pause(bench, Pause(words="Moving.", is_drain=True))
    assert await claimed(bench) == []
    assert await bench.queue.seconds_until_due((JobState.QUEUED,), running=()) is None
    bench.backend.finish()
    assert (await bench.run_out(at_provider.id)).state is JobState.SUCCEEDED
    assert (await bench.now(queued.id)).state is JobState.QUEUED
    await pause(bench, None)
    assert await claimed(bench) == [queued.id]


async def test_queued_jobs_are_sent_when_the_drain_ends(bench: Bench) -> None:
    queued = await bench.at(JobState.QUEUED)
    until = int(bench.clock()) + 60
    await pause(bench, Pause(words="Moving.", until=until, is_drain=True))
    assert await claimed(bench) == []
    bench.clock.advance(61)
    assert await claimed(bench) == [queued.id]


async def test_a_mere_pause_lets_queued_jobs_continue(bench: Bench) -> None:
    queued = await bench.at(JobState.QUEUED)
    await pause(bench, Pause(words="Full."))
    assert await claimed(bench) == [queued.id]
