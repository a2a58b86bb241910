"""The upload fallback: which file is uploaded, what a refusal teaches, and what is delivered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Handover
from bot.delivery.card_edits import FileTooLargeError
from bot.delivery.upload_fallback import UploadFallback, UploadFile, UploadTarget
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.api_errors import Refusal
from bot.errors import UnconfirmedSubmitError
from bot.links import Links
from bot.model import JobState
from storage.delivery.upload_limits import UploadLimits
from storage.people import Notify
from tests.support.desk import open_desk
from tests.support.fakes.orders import origin
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.artifacts import Artifact
    from bot.demo.fake_discord.state.message import Message
    from bot.model import Job
    from tests.support.desk import Desk

PUBLIC_URL = "https://videos.example.org"
WEEK = 7 * 24 * 60 * 60
MIB = 1024 * 1024
A_MINUTE = 60


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


# The fallback alone, without Discord.


class Uploader:
    """Uploads with the fallback to a place that accepts `takes` bytes, and records the files."""

    def __init__(self, desk: Desk, takes: int, *, public_url: str = "") -> None:
        self.takes = takes
        self.uploads: list[UploadFile] = []
        self.announced_copies = 0
        self._upload_fallback = UploadFallback(
            limits=UploadLimits(desk.bench.database),
            shrinker=desk.bench.editor,
            workspace=desk.bench.workspace,
            links=Links(b"key", public_url=public_url, lifetime=60.0, clock=desk.clock),
            clock=desk.clock,
        )

    async def upload(self, artifact: Artifact, announced: int, guild_id: int = 1) -> bool:
        target = UploadTarget(guild_id=guild_id, announced=announced)
        return await self._upload_fallback.upload(artifact, target, self._upload, self._announce)

    async def _upload(self, file: UploadFile) -> None:
        self.uploads.append(file)
        if file.size > self.takes:
            raise FileTooLargeError

    async def _announce(self) -> None:
        self.announced_copies += 1

    @property
    def sizes(self) -> list[int]:
        return [file.size for file in self.uploads]


async def test_a_refusal_teaches_the_next_lower_limit_of_this_server_for_a_week(desk: Desk) -> None:
    job, _ = await desk.video()
    video = replace(desk.artifact(job), size=18 * MIB)
    desk.bench.editor.least[True] = MIB
    uploader = Uploader(desk, takes=10 * MIB)
    assert await uploader.upload(video, 20 * MIB)
    assert uploader.sizes == [18 * MIB, 10 * MIB]
    assert uploader.announced_copies == 1
    # The next upload starts there, also after a restart. Another server learns nothing.
    again = Uploader(desk, takes=10 * MIB)
    assert await again.upload(video, 20 * MIB)
    assert again.sizes == [10 * MIB]
    assert again.announced_copies == 0
    elsewhere = Uploader(desk, takes=20 * MIB)
    assert await elsewhere.upload(video, 20 * MIB, guild_id=2)
    assert elsewhere.sizes == [18 * MIB]
    desk.clock.advance(WEEK)
    assert await elsewhere.upload(video, 20 * MIB)
    assert elsewhere.sizes == [18 * MIB] * 2


async def test_two_refusals_are_two_steps_and_a_third_is_the_end(desk: Desk) -> None:
    job, _ = await desk.video()
    video = replace(desk.artifact(job), size=60 * MIB)
    desk.bench.editor.least[True] = MIB
    uploader = Uploader(desk, takes=25 * MIB)
    assert await uploader.upload(video, 100 * MIB)
    assert uploader.sizes == [60 * MIB, 50 * MIB, 25 * MIB]
    stubborn = Uploader(desk, takes=0)
    assert not await stubborn.upload(video, 100 * MIB)
    assert stubborn.sizes == [25 * MIB, 20 * MIB, 10 * MIB]


async def test_below_the_lowest_limit_a_refusal_teaches_nothing(desk: Desk) -> None:
    job, _ = await desk.video()
    video = replace(desk.artifact(job), size=8 * MIB)
    uploader = Uploader(desk, takes=0)
    assert not await uploader.upload(video, 20 * MIB)
    assert uploader.sizes == [8 * MIB]
    assert await UploadLimits(desk.bench.database).get(1, now=desk.clock()) is None


async def test_of_two_refusals_at_the_same_time_the_lower_one_counts(desk: Desk) -> None:
    limits = UploadLimits(desk.bench.database)
    for size in (10, 25):
        await limits.save(1, size, now=desk.clock())
    assert await limits.get(1, now=desk.clock()) == 10
    desk.clock.advance(WEEK)
    await limits.save(1, 25, now=desk.clock())
    assert await limits.get(1, now=desk.clock()) == 25


@pytest.mark.parametrize(
    ("least", "public_url", "note"),
    [
        ({True: 10, False: 5}, "", "card.smaller"),
        ({False: 5}, "", "card.much_smaller"),
        ({}, "", None),
        ({False: 5}, PUBLIC_URL, None),
    ],
)
async def test_a_bad_copy_is_made_only_where_there_can_be_no_link(
    desk: Desk, least: dict[bool, int], public_url: str, note: str | None
) -> None:
    job, _ = await desk.video()
    desk.bench.editor.least = least
    uploader = Uploader(desk, takes=100, public_url=public_url)
    assert await uploader.upload(replace(desk.artifact(job), size=200), 100) is (note is not None)
    assert [file.note for file in uploader.uploads] == ([note] if note else [])


def test_a_boosted_servers_limit_does_not_count_in_a_dm() -> None:
    boosted = origin(upload_limit=100 * MIB)
    assert UploadTarget.of_dm(boosted) == UploadTarget(guild_id=0, announced=20 * MIB)
    assert UploadTarget.of_dm(origin(upload_limit=10 * MIB)).announced == 10 * MIB
    assert UploadTarget.of_card(boosted) == UploadTarget(guild_id=2, announced=100 * MIB)
    assert UploadTarget.of_card(origin(guild_id=None)).guild_id == 0


# On the card.


async def stored(desk: Desk, size: int = 200) -> tuple[Job, Message, Artifact]:
    """Type a command, and store its finished video."""
    job, message = await desk.video()
    artifact = desk.artifact(job, bytes(range(200)) * (size // 200))
    await desk.bench.artifacts.save(artifact)
    return job, message, artifact


async def is_delivered(desk: Desk, job: Job) -> bool:
    artifact = await desk.bench.artifacts.get(job.id)
    assert artifact is not None
    return artifact.delivered_at is not None


def announcing(job: Job, size: int) -> Job:
    return replace(job, requester=replace(job.origin, upload_limit=size))


def links(message: Message) -> list[str]:
    return [part["url"] for part in message.components if part.get("url")]


async def test_what_is_too_large_is_made_small_enough_and_the_card_says_so(desk: Desk) -> None:
    job, message, artifact = await stored(desk)
    desk.bench.editor.least[True] = 50
    assert await desk.deliverer().deliver(announcing(job, 100), artifact) is Handover.CARD
    assert [file.size for file in message.files] == [100]
    assert "smaller copy" in message.text
    [on_the_way] = [at for at in texts(message) if "Shrinking the video" in at]
    assert "smaller copy" not in on_the_way
    assert desk.bench.workspace.video(job.id).stat().st_size == 200
    assert await is_delivered(desk, job)


def texts(message: Message) -> list[str]:
    return [str(version.payload) for version in message.versions]


async def test_a_copy_is_delivered_although_its_making_could_not_be_shown(desk: Desk) -> None:
    job, message, artifact = await stored(desk)
    desk.bench.editor.least[True] = 50
    desk.fake_discord.faults.add("PATCH /webhooks/*", Refusal(408, 0, "Request Timeout"))
    assert await desk.deliverer().deliver(announcing(job, 100), artifact) is Handover.CARD
    assert [file.size for file in message.files] == [100]


async def test_a_card_whose_token_expires_soon_says_so_while_the_copy_is_made(desk: Desk) -> None:
    job, message, artifact = await stored(desk)
    job = announcing(job, 100)
    job = replace(job, requester=replace(job.origin, bot_can_edit=False))
    desk.clock.now = job.origin.token_until - 290
    desk.bench.editor.least[True] = 50
    await desk.deliverer().deliver(job, artifact)
    assert sum("the result by DM" in text for text in texts(message)) == 1
    assert "the result by DM" not in message.text


@pytest.mark.parametrize("refused", [False, True])
async def test_a_link_plays_on_the_card_where_discord_lets_it(desk: Desk, *, refused: bool) -> None:
    job, message, artifact = await stored(desk)
    desk.fake_discord.limits.upload_bytes = 100
    if refused:
        edits = "PATCH /webhooks/*"
        desk.fake_discord.faults.add(edits, api_errors.TOO_LARGE)
        desk.fake_discord.faults.add(edits, Refusal(400, 50035, "Invalid Form Body"))
    handover = await desk.deliverer(public_url=PUBLIC_URL).deliver(job, artifact)
    assert handover is Handover.CARD
    assert len(links(message)) == 1
    galleries = [part for part in message.components if "items" in part]
    assert len(galleries) == int(not refused)
    assert await is_delivered(desk, job)


async def test_what_is_held_does_not_count_as_delivered(desk: Desk) -> None:
    job, message, artifact = await stored(desk)
    desk.fake_discord.limits.upload_bytes = 100
    assert await desk.deliverer().deliver(job, artifact) is Handover.HELD
    assert "PUBLIC_URL" in message.text
    assert not await is_delivered(desk, job)


# By DM.


async def notifying(desk: Desk, *, card_gone: bool = False) -> tuple[Job, Artifact]:
    """Run a job until its DM is due."""
    job, _ = await desk.video()
    desk.bench.backend.finish()
    while (job := await desk.bench.now(job.id)).state is not JobState.NOTIFYING:
        await desk.bench.step(job.id)
    job = await desk.bench.claim(job.id)
    artifact = desk.artifact(job, bytes(200))
    await desk.bench.artifacts.save(artifact)
    return replace(job, card_gone=card_gone), artifact


async def test_the_dm_has_a_copy_of_a_video_that_is_too_large_and_a_link_to_the_original(
    desk: Desk,
) -> None:
    job, artifact = await notifying(desk, card_gone=True)
    desk.bench.editor.least[True] = 50
    assert await desk.deliverer(public_url=PUBLIC_URL).notify(announcing(job, 100), artifact)
    [dm] = desk.fake_discord.dms()
    assert [file.size for file in dm.files] == [100]
    assert "smaller copy" in dm.text
    assert f"{PUBLIC_URL}/v/{job.id}." in dm.text
    assert await is_delivered(desk, job)


async def test_a_refused_dm_leaves_the_video_to_the_library_undelivered(desk: Desk) -> None:
    job, artifact = await notifying(desk, card_gone=True)
    desk.fake_discord.close_dms()
    assert await desk.deliverer().notify(job, artifact)
    assert not await is_delivered(desk, job)
    assert desk.bench.workspace.video(job.id).exists()


@pytest.mark.parametrize(
    ("notify", "minutes", "seconds", "sent"),
    [
        (Notify.ALWAYS, 0, 0, True),
        (Notify.NEVER, 0, 86_400, False),
        (Notify.LATE, 10, 10 * A_MINUTE - 1, False),
        (Notify.LATE, 10, 10 * A_MINUTE + 1, True),
    ],
)
async def test_people_are_told_as_they_chose(
    desk: Desk, notify: Notify, minutes: int, seconds: float, *, sent: bool
) -> None:
    job, _ = await notifying(desk)
    await desk.bench.people.choose(job.origin.user_id, notify, minutes)
    desk.clock.now = job.created_at + seconds
    assert await desk.deliverer().notify(job, None)
    assert len(desk.fake_discord.dms()) == int(sent)


async def test_a_requester_without_notices_still_gets_a_video_whose_card_is_gone(
    desk: Desk,
) -> None:
    job, artifact = await notifying(desk, card_gone=True)
    await desk.bench.people.choose(job.origin.user_id, Notify.NEVER)
    assert await desk.deliverer().notify(job, artifact)
    assert len(desk.fake_discord.dms()) == 1


# DMs about failures and questions.


@pytest.mark.parametrize("bot_can_edit", [False, True])
async def test_a_failure_that_its_card_can_not_show_any_more_is_told_by_dm(
    desk: Desk, *, bot_can_edit: bool
) -> None:
    job, message = await desk.video()
    failed = await desk.bench.jobs.fail(job, "failed.moderated")
    assert failed is not None
    failed = replace(failed, requester=replace(failed.origin, bot_can_edit=bot_can_edit))
    desk.delete_token()
    for _ in range(2):
        await desk.deliverer().show(failed)
    assert ("content policy" in message.text) is bot_can_edit
    assert ["content policy" in dm.text for dm in desk.fake_discord.dms()] == [True] * (
        not bot_can_edit
    )


async def undecided(desk: Desk) -> tuple[Job, Message]:
    """Run a job until only its requester can decide what to do."""
    job, message = await desk.video()
    desk.bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    desk.bench.backend.charge(job.request)
    while (job := await desk.bench.now(job.id)).state is not JobState.UNDECIDED:
        await desk.bench.step(job.id)
    return await desk.bench.claim(job.id), message


@pytest.mark.parametrize("deleted", [False, True])
async def test_what_the_card_can_not_ask_any_more_is_asked_once_by_dm(
    desk: Desk, *, deleted: bool
) -> None:
    job, message = await undecided(desk)
    if deleted:
        desk.fake_discord.messages.delete(message)
    else:
        job = replace(job, requester=replace(job.origin, bot_can_edit=False))
        desk.delete_token()
    for _ in range(2):
        await desk.deliverer().show(job)
        desk.clock.advance(A_MINUTE)
    [dm] = desk.fake_discord.dms()
    assert "/videos" in dm.text
    assert "may charge twice" in dm.text


async def test_a_card_that_asks_is_enough(desk: Desk) -> None:
    job, message = await undecided(desk)
    await desk.deliverer().show(job)
    assert "may charge twice" in message.text
    assert desk.fake_discord.dms() == []


async def test_the_question_is_not_mistaken_for_the_video_that_follows_it(desk: Desk) -> None:
    job, message = await undecided(desk)
    desk.fake_discord.messages.delete(message)
    await desk.deliverer().show(job)
    assert await desk.bench.jobs.retry_undecided(job.id)
    desk.bench.backend.finish()
    artifact = desk.artifact(job)
    while (job := await desk.bench.now(job.id)).state is not JobState.NOTIFYING:
        await desk.bench.step(job.id)
    job = replace(await desk.bench.claim(job.id), card_gone=True, dm_intent_at=desk.clock())
    # Within the minutes in which Discord drops a message with the same nonce.
    assert await desk.deliverer().notify(job, artifact)
    question, video = desk.fake_discord.dms()
    assert not question.files
    assert video.files


async def test_a_second_question_is_not_mistaken_for_the_first(desk: Desk) -> None:
    job, message = await undecided(desk)
    desk.fake_discord.messages.delete(message)
    for submits in (1, 2):
        await desk.deliverer().show(replace(job, submits=submits))
    assert len(desk.fake_discord.dms()) == 2


async def test_a_failure_that_no_dm_can_report_is_no_error(desk: Desk) -> None:
    job, _ = await desk.video()
    failed = await desk.bench.jobs.fail(job, "failed.moderated")
    assert failed is not None
    desk.delete_token()
    desk.fake_discord.close_dms()
    await desk.deliverer().show(
        replace(failed, requester=replace(failed.origin, bot_can_edit=False))
    )
    assert desk.fake_discord.dms() == []
