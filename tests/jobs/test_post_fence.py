"""A create request is not sent if its process was paused since the intent was stored."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bot.model import JobState
from bot.pacing import MAX_POST_SECONDS, PostFence, unstoppable_clocks

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

TOO_LONG = MAX_POST_SECONDS + 0.1


async def test_a_create_that_would_be_late_is_not_sent_and_the_search_settles_it(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.pause_after_intent(TOO_LONG)
    assert (await bench.step(job.id)).state is JobState.UNCONFIRMED
    assert bench.backend.posts == 0
    await bench.trust_list()
    bench.backend.finish()
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert bench.backend.posts == 1


async def test_a_create_after_a_short_pause_is_sent(bench: Bench) -> None:
    job = await bench.at(JobState.QUEUED)
    bench.pause_after_intent(MAX_POST_SECONDS)
    assert (await bench.step(job.id)).state is JobState.GENERATING


@pytest.mark.parametrize(
    ("passed", "is_too_late"),
    [((TOO_LONG, 0.0), True), ((-3600.0, TOO_LONG), True), ((1.0, 1.0), False)],
    ids=["suspended", "set back", "neither"],
)
def test_the_clock_that_advanced_more_counts(
    passed: tuple[float, float], *, is_too_late: bool
) -> None:
    moments = [100.0, 50.0]
    fence = PostFence((lambda: moments[0], lambda: moments[1]))
    since = fence.now()
    moments[:] = [then + seconds for then, seconds in zip(moments, passed, strict=True)]
    assert fence.is_too_late(since) is is_too_late


def test_without_a_clock_that_counts_suspensions_there_are_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(unstoppable_clocks()) == 1
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    assert unstoppable_clocks() == (time.time, time.monotonic)
