"""Webhooks wake their job once, early or late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.events import EventBus
from bot.jobs.changes.publisher import ChangePublisher
from bot.jobs.changes.webhook_receiver import WebhookReceiver
from bot.model import JobState
from storage.jobs.inbox import KEEP_SECONDS, Inbox
from storage.jobs.store import JobStore
from tests.support.jobs import UPDATE
from tests.support.mortal_database import Killed, MortalDatabase

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")


async def test_a_webhook_that_is_sent_twenty_times_is_one_row_and_one_wake(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    bench.changes.clear()
    news = await asyncio.gather(
        *(
            bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
            for _ in range(20)
        )
    )
    assert sorted(news) == [False] * 19 + [True]
    assert await bench.count_rows("inbox") == 1
    assert len(bench.changes) == 1
    assert (await bench.now(job.id)).next_at == bench.clock()


async def test_a_webhook_before_the_create_has_returned_wakes_the_job_once_it_is_bound(
    bench: Bench,
) -> None:
    job = await bench.at(JobState.SUBMITTING)
    claimed = await bench.claim(job.id)
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id="video_x")
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
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
    # The poll was sent before the video was done, so its "not yet" is outdated.
    assert await bench.jobs.postpone(polling, after=300) is None
    assert (await bench.now(job.id)).next_at == bench.clock()


async def test_a_webhook_after_the_end_changes_nothing(bench: Bench) -> None:
    job = await bench.at(JobState.SUCCEEDED)
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
    assert await bench.now(job.id) == job


async def test_a_webhook_about_an_unknown_job_is_kept_for_a_week(bench: Bench) -> None:
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id="video_x")
    assert await bench.unconfirmed.unclaimed("fake") == ("video_x",)
    assert await bench.unconfirmed.unclaimed("another") == ()
    bench.clock.advance(KEEP_SECONDS)
    await bench.webhooks.sweep()
    assert await bench.count_rows("inbox") == 1
    bench.clock.advance(1)
    await bench.webhooks.sweep()
    assert await bench.count_rows("inbox") == 0


async def test_a_ref_that_a_job_has_is_no_hint(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    await bench.webhooks.receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
    assert await bench.unconfirmed.unclaimed("fake") == ()


async def test_a_webhook_is_stored_and_wakes_its_job_in_one_transaction(bench: Bench) -> None:
    job = await bench.at(JobState.GENERATING)
    mortal = MortalDatabase(bench.database, kill_at=1, after=True)
    with pytest.raises(Killed):
        await WebhookReceiver(
            JobStore(mortal), Inbox(mortal), ChangePublisher(EventBus()), clock=bench.clock
        ).receive(backend="fake", webhook_id="wh_1", remote_id=job.remote_id or "")
    # The provider repeats the webhook, which then changes nothing: the first one has to suffice.
    assert await bench.count_rows("inbox") == 1
    assert (await bench.now(job.id)).next_at == bench.clock()
