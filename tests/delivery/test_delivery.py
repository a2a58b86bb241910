"""Finding and editing cards, sending DMs, and the meaning of each of Discord's refusals."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest

from bot.artifacts import NOTE_SILENT, Handover
from bot.delivery.card_edits import Edit, FileTooLargeError, MessageGoneError
from bot.delivery.dm import DmRefusedError
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.api_errors import Refusal
from bot.demo.fake_discord.rest import faults
from bot.errors import DeliveryError
from bot.media.files.workspace import Workspace
from bot.model import JobState
from storage.people import Notify
from tests.support.desk import open_desk
from tests.support.fakes.remote_store import RemoteStore
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from bot.model import Job
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
BY_TOKEN = "PATCH /webhooks/*"
BY_BOT = "PATCH /channels/*"
LATER = Refusal(408, 0, "Request Timeout")
PUBLIC_URL = "https://videos.example.org"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
def _no_retry_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let discord.py repeat requests at once instead of after seconds."""
    monkeypatch.setattr(asyncio, "sleep", partial(_sleep_briefly, asyncio.sleep))


async def _sleep_briefly(sleep: Any, _: float) -> None:
    await sleep(0)


async def edit(desk: Desk, job: Job) -> None:
    await desk.card_edits.edit(Edit(job=job, view=desk.cards.render(job)))


def video(desk: Desk, job: Job) -> Any:
    path = desk.bench.workspace.video(job.id)
    return lambda: [discord.File(path, filename="a.mp4")]


# Finding a card.


async def test_the_card_of_a_command_is_found_by_its_token(desk: Desk) -> None:
    job, message = await desk.video()
    assert await desk.card_edits.find(job) == message.id


async def test_an_error_message_is_no_card(desk: Desk) -> None:
    interaction = await desk.fake_discord.slash("video", {"prompt": " "})
    await desk.fake_discord.answer_to(interaction)
    job, _ = await desk.video()
    job = replace(
        job, requester=replace(job.origin, interaction_id=interaction.id, token=interaction.token)
    )
    assert await desk.card_edits.find(job) is None


@pytest.mark.parametrize(
    "refusal",
    [api_errors.UNKNOWN_WEBHOOK, api_errors.UNKNOWN_MESSAGE, api_errors.INVALID_WEBHOOK_TOKEN],
    ids=lambda refusal: refusal.message,
)
async def test_where_discord_knows_of_no_card_there_is_none(desk: Desk, refusal: Refusal) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add("GET /webhooks/*", refusal)
    assert await desk.card_edits.find(job) is None


async def test_a_token_that_is_almost_dead_is_not_used(desk: Desk) -> None:
    job, _ = await desk.video()
    desk.clock.now = job.origin.token_until - 60
    assert await desk.card_edits.find(job) is None
    assert (
        await desk.card_edits.find(replace(job, requester=replace(job.origin, token=None))) is None
    )
    assert desk.made("GET /webhooks") == []


@pytest.mark.usefixtures("_no_retry_pauses")
@pytest.mark.parametrize(
    "fault",
    [api_errors.server_error(500), api_errors.server_error(503), LATER, faults.Cut()],
    ids=repr,
)
async def test_a_discord_that_is_down_is_asked_for_the_card_later(desk: Desk, fault: Any) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add("GET /webhooks/*", fault, times=None)
    with pytest.raises(DeliveryError) as caught:
        await desk.card_edits.find(job)
    assert str(job.origin.token) not in str(caught.value)


# Editing a card.


async def test_a_card_is_edited_by_its_token_and_then_by_the_bot(desk: Desk) -> None:
    job, message = await desk.video()
    await edit(desk, replace(job, state=JobState.QUEUED))
    assert "Queued" in message.text
    desk.delete_token()
    await edit(desk, replace(job, state=JobState.GENERATING))
    assert "Creating" in message.text
    assert len(desk.made("PATCH /webhooks")) == len(desk.made("PATCH /channels")) == 1


@pytest.mark.parametrize(
    "refusal",
    [api_errors.INVALID_WEBHOOK_TOKEN, api_errors.UNKNOWN_WEBHOOK, api_errors.UNAUTHORIZED],
    ids=lambda refusal: refusal.message,
)
async def test_a_token_that_died_early_is_forgotten_and_the_bot_edits(
    desk: Desk, refusal: Refusal
) -> None:
    job, message = await desk.video()
    desk.fake_discord.faults.add(BY_TOKEN, refusal)
    await edit(desk, replace(job, state=JobState.QUEUED))
    assert "Queued" in message.text
    assert (await desk.bench.now(job.id)).origin.token is None


@pytest.mark.parametrize("bot_can_edit", [False, True])
async def test_a_card_that_was_deleted_is_gone(desk: Desk, *, bot_can_edit: bool) -> None:
    job, message = await desk.video()
    desk.fake_discord.messages.delete(message)
    if bot_can_edit:
        desk.delete_token()
    with pytest.raises(MessageGoneError, match="404, code 10008"):
        await edit(desk, job)


@pytest.mark.parametrize("died_early", [False, True])
async def test_a_card_that_nothing_but_a_dead_token_could_edit_is_gone_without_a_call(
    desk: Desk, *, died_early: bool
) -> None:
    job, _ = await desk.video()
    job = replace(job, requester=replace(job.origin, bot_can_edit=False))
    if died_early:
        desk.fake_discord.faults.add(BY_TOKEN, api_errors.INVALID_WEBHOOK_TOKEN)
    else:
        desk.delete_token()
    with pytest.raises(MessageGoneError):
        await edit(desk, job)
    assert len(desk.made("PATCH /")) == int(died_early)


async def test_progress_does_not_wait_for_a_token_that_is_throttled_nor_try_it_again(
    desk: Desk,
) -> None:
    job, message = await desk.video()
    card = desk.cards.render(replace(job, state=JobState.QUEUED))
    desk.fake_discord.faults.add(BY_TOKEN, api_errors.rate_limited(10))
    for _ in range(3):
        with pytest.raises(DeliveryError, match="Throttled"):
            await desk.card_edits.edit(Edit(job=job, view=card, urgent=False))
    assert len(desk.made("PATCH /")) == 1
    desk.clock.advance(10)
    await desk.card_edits.edit(Edit(job=job, view=card, urgent=False))
    assert "Queued" in message.text


@pytest.mark.parametrize(
    ("named", "seconds"), [(None, 5), ("Wed, 21 Oct 2026 07:28:00 GMT", 5), (-3.0, 0), (1e9, 600)]
)
async def test_a_missing_or_unreasonable_retry_after_is_replaced_by_our_own_pause(
    desk: Desk, named: Any, seconds: float
) -> None:
    job, _ = await desk.video()
    refusal = replace(api_errors.rate_limited(1), retry_after=named)
    desk.fake_discord.faults.add(BY_TOKEN, refusal)
    for _ in range(2):
        with pytest.raises(DeliveryError):
            await desk.card_edits.edit(Edit(job=job, view=desk.cards.render(job), urgent=False))
        desk.clock.advance(seconds - 0.1)
    desk.clock.advance(0.2)
    await desk.card_edits.edit(Edit(job=job, view=desk.cards.render(job), urgent=False))


async def test_an_urgent_edit_uses_the_bot_instead_of_a_throttled_token(desk: Desk) -> None:
    job, message = await desk.video()
    desk.fake_discord.faults.add(BY_TOKEN, api_errors.rate_limited(10))
    await edit(desk, replace(job, state=JobState.QUEUED))
    assert "Queued" in message.text
    await edit(desk, replace(job, state=JobState.GENERATING))
    assert len(desk.made("PATCH /webhooks")) == 1
    assert len(desk.made("PATCH /channels")) == 2


@pytest.mark.parametrize("bot_can_edit", [False, True])
async def test_a_throttled_token_is_tried_again_later_if_the_bot_can_not_edit(
    desk: Desk, *, bot_can_edit: bool
) -> None:
    job, message = await desk.video()
    job = replace(
        job, state=JobState.QUEUED, requester=replace(job.origin, bot_can_edit=bot_can_edit)
    )
    desk.fake_discord.faults.add(BY_TOKEN, api_errors.rate_limited(10))
    desk.fake_discord.faults.add(BY_BOT, api_errors.MISSING_ACCESS)
    with pytest.raises(DeliveryError, match="Throttled"):
        await edit(desk, job)
    assert len(desk.made("PATCH /channels")) == int(bot_can_edit)
    desk.clock.advance(10)
    await edit(desk, job)
    assert "Queued" in message.text


@pytest.mark.parametrize("refusal", [api_errors.MISSING_ACCESS, api_errors.UNKNOWN_CHANNEL])
async def test_a_card_that_the_bot_has_no_access_to_is_gone(desk: Desk, refusal: Refusal) -> None:
    job, _ = await desk.video()
    desk.delete_token()
    desk.fake_discord.faults.add(BY_BOT, refusal)
    with pytest.raises(MessageGoneError):
        await edit(desk, job)


async def test_a_file_that_is_too_large_is_told_from_other_refusals(desk: Desk) -> None:
    job, message = await desk.video()
    desk.artifact(job, bytes(5000))
    desk.fake_discord.limits.upload_bytes = 1000
    view = desk.cards.render_video(job, filename="a.mp4")
    with pytest.raises(FileTooLargeError):
        await desk.card_edits.edit(Edit(job=job, view=view, open_files=video(desk, job)))
    assert not message.files


@pytest.mark.usefixtures("_no_retry_pauses")
@pytest.mark.parametrize("fault", [api_errors.server_error(500), LATER, faults.Cut()], ids=repr)
@pytest.mark.parametrize("bot_can_edit", [False, True])
async def test_a_discord_that_is_down_is_edited_later(
    desk: Desk, fault: Any, *, bot_can_edit: bool
) -> None:
    job, message = await desk.video()
    desk.fake_discord.faults.add(BY_BOT if bot_can_edit else BY_TOKEN, fault, times=None)
    if bot_can_edit:
        desk.delete_token()
    with pytest.raises(DeliveryError) as caught:
        await edit(desk, replace(job, state=JobState.QUEUED))
    assert str(job.origin.token) not in str(caught.value)
    desk.fake_discord.faults.clear()
    await edit(desk, replace(job, state=JobState.QUEUED))
    assert "Queued" in message.text


@pytest.mark.parametrize(
    ("status", "code"), [(400, 50035), (400, 50083), (403, 50001), (404, 10008), (405, 0)]
)
@pytest.mark.parametrize("bot_can_edit", [False, True])
async def test_a_refusal_that_will_stay_leaves_the_video_to_the_dm(
    desk: Desk, status: int, code: int, *, bot_can_edit: bool
) -> None:
    job, message = await desk.video()
    desk.fake_discord.faults.add(BY_BOT if bot_can_edit else BY_TOKEN, Refusal(status, code, "No."))
    if bot_can_edit:
        desk.delete_token()
    assert await desk.deliverer().deliver(job, desk.artifact(job)) is Handover.DM
    assert not message.files


@pytest.mark.parametrize("refusal", [api_errors.UNAUTHORIZED, Refusal(403, 0, "Cloudflare")])
async def test_a_refusal_that_is_not_about_the_message_does_not_mean_that_it_is_gone(
    desk: Desk, refusal: Refusal
) -> None:
    job, _ = await desk.video()
    desk.delete_token()
    desk.fake_discord.faults.add(BY_BOT, refusal)
    with pytest.raises(DeliveryError):
        await edit(desk, job)


async def test_what_discord_says_of_an_edit_that_it_refuses_is_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add(BY_TOKEN, Refusal(400, 50035, "components[0]: too long"))
    await desk.deliverer().show(job)
    [record] = [r for r in caplog.records if "card.edit_refused" in r.getMessage()]
    assert "too long" in record.getMessage()
    assert str(job.origin.token) not in record.getMessage()


@pytest.mark.parametrize("by_dm", [False, True])
async def test_an_upload_of_the_bots_own_may_take_longer_than_discord_py_waits(
    desk: Desk, *, by_dm: bool
) -> None:
    job, message = await desk.video()
    desk.artifact(job)
    dm = await desk.bot.create_dm(discord.Object(job.origin.user_id))
    desk.delete_token()
    session = desk.bot.http._HTTPClient__session  # noqa: SLF001 - it has no public setting for the time-out
    session._timeout = aiohttp.ClientTimeout(total=1e-6)  # noqa: SLF001 - no upload is so quick
    with pytest.raises(TimeoutError):
        await dm.send("no file")
    if by_dm:
        await desk.direct.send(job, "here", video(desk, job), may_be_sent=False)
        sent = desk.fake_discord.dms()[-1]
    else:
        view, sent = desk.cards.render_video(job, filename="a.mp4"), message
        await desk.card_edits.edit(Edit(job=job, view=view, open_files=video(desk, job)))
    assert [file.path.read_bytes() for file in sent.files] == [b"a video"]


# Sending a DM.


async def test_a_dm_that_was_sent_is_not_sent_again(desk: Desk) -> None:
    job, _ = await desk.video()
    text = desk.cards.dm(job, link="https://x.example")
    await desk.direct.send(job, text, may_be_sent=False)
    desk.clock.advance(3600)
    # The text may differ by now: a new link has another expiry.
    await desk.direct.send(job, text.replace("x.example", "y.example"), may_be_sent=True)
    [dm] = desk.fake_discord.dms()
    assert dm.text == text


async def test_the_dm_of_another_job_with_the_same_prompt_is_not_mistaken_for_this_ones(
    desk: Desk,
) -> None:
    first, _ = await desk.video()
    second, _ = await desk.video()
    await desk.direct.send(first, desk.cards.dm_with_video(first), may_be_sent=False)
    await desk.direct.send(second, desk.cards.dm_with_video(second), may_be_sent=True)
    assert len(desk.fake_discord.dms()) == 2


@pytest.mark.parametrize(
    "fault",
    [
        api_errors.server_error(503),
        LATER,
        faults.Cut(),
        api_errors.UNAUTHORIZED,
        Refusal(403, 0, "Cloudflare"),
        Refusal(403, 40003, "You are opening direct messages too fast"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("operation", ["POST /users/@me/channels", "POST /channels/*"])
async def test_a_dm_that_did_not_get_through_is_tried_again(
    desk: Desk, operation: str, fault: Any
) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add(operation, fault)
    text = desk.cards.dm_with_video(job)
    with pytest.raises(DeliveryError):
        await desk.direct.send(job, text, may_be_sent=False)
    assert desk.fake_discord.dms() == []
    await desk.direct.send(job, text, may_be_sent=True)
    assert len(desk.fake_discord.dms()) == 1


@pytest.mark.parametrize(
    "refusal", [api_errors.DM_CLOSED, Refusal(403, 50278, "No mutual guilds")], ids=lambda r: r.code
)
async def test_a_person_with_closed_dms_is_tried_once_and_then_not_again(
    desk: Desk, refusal: Refusal
) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add("POST /channels/*", refusal)
    with pytest.raises(DmRefusedError):
        await desk.direct.send(job, desk.cards.dm_with_video(job), may_be_sent=False)
    asked = len(desk.fake_discord.history.requests)
    with pytest.raises(DmRefusedError):
        await desk.direct.send(job, desk.cards.dm_with_video(job), may_be_sent=True)
    assert len(desk.fake_discord.history.requests) == asked
    assert desk.fake_discord.dms() == []
    # A person who asks for DMs has opened them again.
    await desk.bench.people.choose(job.origin.user_id, Notify.ALWAYS)
    await desk.direct.send(job, desk.cards.dm_with_video(job), may_be_sent=False)
    assert len(desk.fake_discord.dms()) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        api_errors.UNKNOWN_USER,
        api_errors.MISSING_ACCESS,
        Refusal(403, 20026, "Your bot has been flagged by our anti-spam system"),
        Refusal(400, 50033, "Invalid Recipient(s)"),
        Refusal(400, 50035, "Invalid Form Body"),
    ],
    ids=lambda refusal: refusal.code,
)
async def test_a_dm_that_is_refused_for_another_reason_does_not_count_as_closed_dms(
    desk: Desk, refusal: Refusal
) -> None:
    job, _ = await desk.video()
    desk.fake_discord.faults.add("POST /channels/*", refusal)
    with pytest.raises(DmRefusedError):
        await desk.direct.send(job, desk.cards.dm_with_video(job), may_be_sent=False)
    assert (await desk.bench.people.get(job.origin.user_id)).dm_closed_at is None


# Delivering a video.


async def test_a_video_that_fits_is_uploaded_to_its_card(desk: Desk) -> None:
    job, message = await desk.video()
    assert await desk.deliverer().deliver(job, desk.artifact(job)) is Handover.CARD
    [file] = message.files
    assert file.filename == f"clapper-{job.id[:8]}.mp4"
    assert file.path.read_bytes() == b"a video"


async def test_a_video_that_does_not_fit_is_linked_or_held(desk: Desk) -> None:
    job, message = await desk.video()
    artifact = desk.artifact(job)
    desk.fake_discord.limits.upload_bytes = 3
    assert await desk.deliverer().deliver(job, artifact) is Handover.HELD
    assert "PUBLIC_URL" in message.text
    assert await desk.deliverer(public_url=PUBLIC_URL).deliver(job, artifact) is Handover.CARD
    [url] = [part["url"] for part in message.components if part.get("url")]
    assert url.startswith(f"{PUBLIC_URL}/d/{job.id}.")


async def test_the_player_gets_the_stores_own_link_and_the_button_ours(desk: Desk) -> None:
    job, message = await desk.video()
    store = RemoteStore(public="https://files.example.org")
    artifact = replace(desk.artifact(job), size=30 * 1024 * 1024)
    desk.bench.workspace = Workspace(desk.bench.root, store)
    assert await desk.deliverer(public_url=PUBLIC_URL).deliver(job, artifact) is Handover.CARD
    [player] = [
        item["media"]["url"] for part in message.components for item in part.get("items", ())
    ]
    assert player.startswith(f"{store.public}/videos/{job.id}.mp4?X-Amz-Expires=604800&")
    [button] = [part["url"] for part in message.components if part.get("url")]
    assert button.startswith(f"{PUBLIC_URL}/d/{job.id}.")


async def test_no_limit_that_discord_announces_is_believed_beyond_its_ceiling(desk: Desk) -> None:
    job, message = await desk.video()
    job = replace(job, requester=replace(job.origin, upload_limit=500 * 1024 * 1024))
    huge = replace(desk.artifact(job), size=96 * 1024 * 1024)
    assert await desk.deliverer().deliver(job, huge) is Handover.HELD
    assert not message.files


@pytest.mark.parametrize("size", [7, 10**9])
async def test_where_the_card_is_gone_the_rest_is_left_to_the_dm(desk: Desk, size: int) -> None:
    job, message = await desk.video()
    artifact = replace(desk.artifact(job), size=size)
    desk.fake_discord.messages.delete(message)
    assert await desk.deliverer().deliver(job, artifact) is Handover.DM


async def test_showing_a_job_without_a_card_is_no_error(desk: Desk) -> None:
    job, message = await desk.video()
    desk.fake_discord.messages.delete(message)
    await desk.deliverer().show(job)
    await desk.deliverer().show(replace(job, requester=replace(job.origin, message_id=None)))
    assert len(desk.made("PATCH /")) == 1


async def notifying(desk: Desk) -> tuple[Job, Message]:
    """Run a job until its DM is due."""
    job, message = await desk.video()
    desk.bench.backend.finish()
    while (job := await desk.bench.now(job.id)).state is not JobState.NOTIFYING:
        await desk.bench.step(job.id)
    return await desk.bench.claim(job.id), message


async def test_the_dm_points_to_the_card(desk: Desk) -> None:
    job, message = await notifying(desk)
    assert await desk.deliverer().notify(job, None)
    [dm] = desk.fake_discord.dms()
    origin = job.origin
    assert f"https://discord.com/channels/{origin.guild_id}/{origin.channel_id}/{message.id}" in (
        dm.text
    )


async def test_a_dm_that_waits_for_a_limit_is_not_looked_for_in_its_channel(desk: Desk) -> None:
    job, _ = await notifying(desk)
    desk.fake_discord.faults.add("POST /users/@me/channels", api_errors.rate_limited(30))
    with pytest.raises(DeliveryError):
        await desk.direct.send(job, "another DM", may_be_sent=False)
    with pytest.raises(DeliveryError) as caught:
        await desk.deliverer().notify(job, None)
    assert (await desk.bench.now(job.id)).dm_intent_at is None
    desk.clock.advance(caught.value.retry_after or 0)
    assert await desk.deliverer().notify(job, None)
    assert len(desk.fake_discord.dms()) == 1
    assert not any(made.operation.startswith("GET /channels") for made in desk.made("GET"))


async def test_the_dm_of_a_job_that_another_step_has_claimed_is_not_sent(desk: Desk) -> None:
    job, _ = await notifying(desk)
    await desk.bench.claim_again(job.id)
    assert not await desk.deliverer().notify(job, None)
    assert desk.fake_discord.dms() == []


@pytest.mark.parametrize("announced", [True, False])
async def test_the_video_itself_comes_by_dm_else_a_link_else_it_waits(
    desk: Desk, *, announced: bool
) -> None:
    job, message = await notifying(desk)
    job = replace(job, card_gone=True, note=NOTE_SILENT)
    artifact = desk.artifact(job)
    desk.fake_discord.messages.delete(message)
    desk.fake_discord.limits.upload_bytes = 3
    small = replace(job, requester=replace(job.origin, upload_limit=3 if announced else 1000))
    assert not await desk.deliverer().notify(small, artifact)
    assert desk.fake_discord.dms() == []
    again = replace(small, dm_intent_at=desk.clock())
    assert await desk.deliverer(public_url=PUBLIC_URL).notify(again, artifact)
    [dm] = desk.fake_discord.dms()
    assert f"{PUBLIC_URL}/v/{job.id}." in dm.text
    assert "is silent" in dm.text


async def test_a_small_video_whose_card_is_gone_comes_by_dm(desk: Desk) -> None:
    job, _ = await notifying(desk)
    job = replace(job, card_gone=True, note=NOTE_SILENT)
    assert await desk.deliverer().notify(job, desk.artifact(job))
    [dm] = desk.fake_discord.dms()
    assert [file.path.read_bytes() for file in dm.files] == [b"a video"]
    assert "is silent" in dm.text


async def test_edits_of_one_card_never_overtake_each_other(desk: Desk) -> None:
    job, message = await desk.video()
    deliverer = desk.deliverer()
    slow = desk.fake_discord.faults.add(BY_TOKEN, faults.Hold())
    assert isinstance(slow, faults.Hold)
    first = asyncio.create_task(deliverer.show(replace(job, state=JobState.QUEUED)))
    await slow.reached.wait()
    second = asyncio.create_task(deliverer.deliver(job, desk.artifact(job)))
    other, _ = await desk.video("another")
    await deliverer.show(replace(other, state=JobState.QUEUED))
    assert not message.files
    slow.release.set()
    await first
    assert await second is Handover.CARD
    assert message.files
