"""The lock of a card: its edits never overlap, and progress does not delay a final edit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Handover
from bot.delivery.edit_lock import EditGracePeriods, EditLock
from bot.delivery.progress import ProgressCards
from bot.demo.fake_discord.rest import faults
from bot.model import JobChanged, JobState
from bot.pacing import EditIntervals
from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from pathlib import Path

LONG = 60.0
AT_ONCE = EditGracePeriods(usual=0.0, unanswered=0.0)


class Edits:
    """Logs which edit holds the lock of a card; a progress edit ends when `end` is set."""

    def __init__(self, grace_periods: EditGracePeriods) -> None:
        self.edit_lock = EditLock(grace_periods)
        self.log: list[str] = []
        self.begun = asyncio.Event()
        self.end = asyncio.Event()
        self.with_discord = False

    async def progress(self) -> None:
        async with self.edit_lock.acquire("a"):
            self.log.append("progress")
            self.begun.set()
            await self.end.wait()
            self.log.append("progress done")

    async def final(self, job_id: str = "a") -> bool:
        async with self.edit_lock.acquire_urgently(job_id, lambda: self.with_discord) as cut_off:
            self.log.append("final")
            return cut_off


async def test_a_final_edit_lets_progress_end_when_that_is_quick() -> None:
    edits = Edits(EditGracePeriods(usual=LONG, unanswered=0.0))
    progress = asyncio.create_task(edits.progress())
    await edits.begun.wait()
    final = asyncio.create_task(edits.final())
    await edits.final("another card")
    edits.end.set()
    assert not await final
    await progress
    assert edits.log == ["progress", "final", "progress done", "final"]


async def test_progress_that_takes_long_is_cut_off_before_the_final_edit() -> None:
    edits = Edits(AT_ONCE)
    progress = asyncio.create_task(edits.progress())
    await edits.begun.wait()
    assert await edits.final()
    assert progress.cancelled()
    assert edits.log == ["progress", "final"]


async def test_what_discord_has_already_gets_more_time() -> None:
    edits = Edits(EditGracePeriods(usual=0.0, unanswered=LONG))
    edits.with_discord = True
    progress = asyncio.create_task(edits.progress())
    await edits.begun.wait()
    final = asyncio.create_task(edits.final())
    await asyncio.sleep(0)
    edits.end.set()
    assert not await final
    await progress
    assert edits.log[-2:] == ["progress done", "final"]


async def test_an_edit_that_discord_has_does_not_get_for_ever() -> None:
    edits = Edits(AT_ONCE)
    edits.with_discord = True
    progress = asyncio.create_task(edits.progress())
    await edits.begun.wait()
    assert await edits.final()
    assert progress.cancelled()


async def test_one_final_edit_is_never_cut_off_by_another() -> None:
    edits = Edits(AT_ONCE)
    async with edits.edit_lock.acquire_urgently("a", lambda: False):
        second = asyncio.create_task(edits.final())
        await asyncio.sleep(0)
        assert edits.log == []
    assert not await second


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
@pytest.mark.parametrize("bot_can_edit", [False, True])
async def test_a_stalled_progress_edit_does_not_keep_the_video_from_its_card(
    tmp_path: Path, *, bot_can_edit: bool
) -> None:
    async with open_desk(tmp_path) as desk:
        job, message = await desk.video()
        job = replace(job, requester=replace(job.origin, bot_can_edit=bot_can_edit))
        deliverer = desk.deliverer()
        progress = ProgressCards(deliverer, EditIntervals(), clock=desk.clock)
        running = asyncio.create_task(progress.run(), name="progress")
        stalled = desk.fake_discord.faults.add("PATCH /webhooks/*", faults.Hold())
        assert isinstance(stalled, faults.Hold)
        moved = replace(job, state=JobState.QUEUED)
        progress.on_job_changed(JobChanged(job=moved, previous=JobState.RECEIVED))
        await stalled.reached.wait()
        assert await deliverer.deliver(job, desk.artifact(job)) is Handover.CARD
        assert [file.size for file in message.files] == [7]
        # By the bot itself, if it can: the token may still be blocked.
        assert len(desk.made("PATCH /channels")) == int(bot_can_edit)
        stalled.release.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        check_all(desk.fake_discord.history.requests)
