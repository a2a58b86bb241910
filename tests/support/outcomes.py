"""Checks of how a job ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from bot.model import Job
    from tests.support.fakes.bench import Bench


async def assert_failed(bench: Bench, job: Job, key: str, sentences: frozenset[str]) -> None:
    """Check that a job failed for this reason, and that a sentence exists for it."""
    ended = await bench.run_out(job.id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.key) == (JobState.FAILED, key)
    assert bench.deliverer.cards[job.id] == key
    assert key in sentences
