"""People are asked once before a service hears their voice. Without consent, it stays here."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.artifacts import OrderedVoice, VoiceUse
from bot.delivery.views.button_ids import Action
from bot.jobs.guiding.permissions import HearingService
from bot.model import JobState
from storage.access.voice_consents import VoiceConsentStore
from storage.people import Notify
from tests.support.desk import open_desk
from tests.support.fakes.media import FakeVoice
from tests.support.form_steps import SOUND, count, form, job_of_card, press, submit_form
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from bot.model import Job
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
SERVICE = HearingService(host="video.example", label="Example Video", is_inside=False)
ALLOWED = OrderedVoice(use=VoiceUse.ALLOWED, service=SERVICE.host)
WITHHELD = OrderedVoice(use=VoiceUse.WITHHELD)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, voice=FakeVoice(b""), hearing=SERVICE) as opened:
        opened.bench.backend.finish()
        yield opened
        check_all(opened.fake_discord.history.requests)


async def order(desk: Desk, **who: object) -> Message:
    """Type `/video` with a narration, and return what answers."""
    typed = await desk.fake_discord.slash("video", {"prompt": "A kite", "audio": SOUND}, **who)  # pyright: ignore[reportArgumentType] - user
    return await desk.fake_discord.answer_to(typed)


async def ended(desk: Desk, card: Message) -> Job:
    job = await job_of_card(desk, card)
    return await desk.bench.run_out(job.id)


async def privacy(desk: Desk) -> Message:
    return await desk.fake_discord.answer_to(await desk.fake_discord.slash("privacy"))


async def test_the_order_waits_for_the_answer_and_the_voice_is_then_heard(desk: Desk) -> None:
    question = await order(desk)
    assert question.ephemeral
    assert "“Example Video”" in question.text
    assert await count(desk) == 0
    card = await desk.click(question, "Yes, send it")
    assert not card.ephemeral
    job = await ended(desk, card)
    assert (job.state, job.voice.use) == (JobState.SUCCEEDED, VoiceUse.SENT)
    (url,) = desk.bench.backend.heard
    assert url is not None
    assert base64.b64decode(url.partition(",")[2]).startswith(b"http")
    await desk.fake_discord.wait_for(lambda: question.deleted)
    # The answer is remembered, also for the buttons and forms of the card.
    again = await ended(desk, await press(desk, Action.AGAIN, job))
    opened = await form(desk, Action.EDIT, job)
    edited = await ended(desk, await submit_form(desk, opened, {"prompt": "A boat"}))
    assert [again.voice.use, edited.voice.use] == [VoiceUse.SENT] * 2
    assert None not in desk.bench.backend.heard


async def test_without_consent_nothing_of_the_voice_leaves(desk: Desk) -> None:
    job = await ended(desk, await desk.click(await order(desk), "No, only lay it over"))
    assert (job.state, job.voice) == (JobState.SUCCEEDED, WITHHELD)
    again = await ended(desk, await press(desk, Action.AGAIN, job))
    assert (again.voice, desk.bench.backend.heard) == (WITHHELD, [None, None])


@pytest.mark.parametrize("action", [Action.AGAIN, Action.EDIT, Action.ATTACH])
async def test_buttons_and_forms_ask_too(desk: Desk, action: Action) -> None:
    world = desk.fake_discord.world
    old = await desk.bench.submit(
        attachment=None, user_id=world.user.id, channel_id=world.channel.id
    )
    await desk.bench.run_out(old.id)
    values = {Action.EDIT: {"prompt": "A boat"}, Action.ATTACH: {"prompt": "A", "audio": SOUND}}
    if action is not Action.ATTACH:
        card = await desk.click(await order(desk), "No, only lay it over")
        old = await ended(desk, card)
        await desk.bench.voice_permissions.forget(world.user.id)
    if action in values:
        opened = await form(desk, action, old)
        question = await submit_form(desk, opened, values[action])
    else:
        question = await press(desk, action, old)
    job = await job_of_card(desk, await desk.click(question, "Yes, send it"))
    assert job.voice == ALLOWED


async def test_no_one_is_asked_about_what_is_sent_to_no_service_or_is_no_persons_voice(
    desk: Desk,
) -> None:
    _, card = await desk.video()
    job = await job_of_card(desk, card)
    await desk.bench.run_out(job.id)
    opened = await form(desk, Action.NARRATE, job)
    laid_over = await job_of_card(desk, await submit_form(desk, opened, {"audio": SOUND}))
    assert (laid_over.clip_of, laid_over.voice) == (job.id, OrderedVoice())
    opened = await form(desk, Action.ATTACH, job)
    spoken = await submit_form(desk, opened, {"prompt": "A kite", "text": "Hello."})
    assert (await job_of_card(desk, spoken)).voice == ALLOWED
    await desk.bench.voice_permissions.answer(job.origin.user_id, agrees=False)
    opened = await form(desk, Action.ATTACH, job)
    declined = await submit_form(desk, opened, {"prompt": "A kite", "text": "Hello."})
    assert (await job_of_card(desk, declined)).voice == WITHHELD


async def test_another_order_or_a_late_answer_places_none_twice(desk: Desk) -> None:
    first, second = await order(desk), await order(desk)
    card = await desk.click(first, "Yes, send it")
    assert not card.ephemeral
    desk.clock.advance(15 * 60)
    late = await desk.click(second, "No, only lay it over")
    assert late.ephemeral
    assert "request the video again" in late.text
    assert await count(desk) == 1
    assert await desk.bench.voice_permissions.answer_of(desk.fake_discord.world.user.id) is False


async def test_privacy_shows_the_answer_and_forgets_it(desk: Desk) -> None:
    assert "Before your first request with a narration" in (await privacy(desk)).text
    card = await desk.click(await order(desk), "Yes, send it")
    waiting = await job_of_card(desk, card)
    shown = await privacy(desk)
    assert "You have agreed to let the video service “Example Video” hear your voice" in shown.text
    assert "stay on this bot" not in shown.text
    await desk.click(shown, "Forget my answer")
    assert "Before your first request with a narration" in shown.text
    # The voice of an order that waits stays here, and no link to it works any more.
    job = await desk.bench.run_out(waiting.id)
    assert (job.state, job.voice) == (JobState.SUCCEEDED, WITHHELD)
    assert desk.bench.backend.heard == [None]
    assert (await order(desk)).ephemeral


@pytest.mark.parametrize("forgets", [True, False])
async def test_an_agreement_that_ends_while_the_order_is_stored_is_not_used(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, forgets: bool
) -> None:
    permissions, user_id = desk.bench.voice_permissions, desk.fake_discord.world.user.id
    await permissions.answer(user_id, agrees=True)
    decide = permissions.of_person

    async def decide_and_withdraw(*order: Any, **options: Any) -> OrderedVoice | None:
        voice = await decide(*order, **options)
        if forgets:
            await permissions.forget(user_id)
        else:
            await permissions.answer(user_id, agrees=False)
        return voice

    monkeypatch.setattr(permissions, "of_person", decide_and_withdraw)
    job = await job_of_card(desk, await order(desk))
    assert job.voice == ALLOWED
    job = await desk.bench.run_out(job.id)
    assert (job.state, job.voice.use) == (JobState.SUCCEEDED, VoiceUse.WITHHELD)
    assert desk.bench.backend.heard == [None]


async def test_an_order_that_is_sent_while_an_answer_is_forgotten_contains_no_voice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, user_id = desk.bench, desk.fake_discord.world.user.id
    await bench.voice_permissions.answer(user_id, agrees=True)
    waiting = await job_of_card(desk, await order(desk))
    await bench.step(waiting.id)
    withdraw = VoiceConsentStore.withdraw

    async def send_first(store: VoiceConsentStore, user_id: int) -> None:
        await bench.step(waiting.id)
        await withdraw(store, user_id)

    monkeypatch.setattr(VoiceConsentStore, "withdraw", send_first)
    await bench.voice_permissions.forget(user_id)
    assert bench.backend.heard == [None]


async def test_the_consent_for_one_service_is_none_for_another(desk: Desk) -> None:
    user_id = desk.fake_discord.world.user.id
    await desk.bench.voice_permissions.answer(user_id, agrees=True)
    assert await desk.bench.voice_permissions.answer_of(user_id)
    desk.bench.voice_permissions.service = replace(SERVICE, host="other.example")
    assert await desk.bench.voice_permissions.answer_of(user_id) is None
    assert (
        await desk.bench.voice_permissions.of_person(user_id, None, clip_of=None) == OrderedVoice()
    )


async def test_an_answer_counts_only_for_the_service_in_the_question(desk: Desk) -> None:
    question = await order(desk)
    permissions = desk.bot.services.voice_permissions
    permissions.service = replace(SERVICE, host="other.example")
    late = await desk.click(question, "Yes, send it")
    assert "haven't saved your answer" in late.text
    assert not await permissions.has_answered(desk.fake_discord.world.user.id)
    assert await count(desk) == 0


@pytest.mark.parametrize("service", [None, replace(SERVICE, host="other.example")])
async def test_privacy_forgets_an_answer_about_an_earlier_service(
    desk: Desk, service: HearingService | None
) -> None:
    permissions, user_id = desk.bot.services.voice_permissions, desk.fake_discord.world.user.id
    await permissions.answer(user_id, agrees=True)
    permissions.service = service
    shown = await privacy(desk)
    assert "your answer on whether an earlier video service" in shown.text
    await desk.click(shown, "Forget my answer")
    assert not await permissions.has_answered(user_id)
    assert "earlier video service" not in shown.text


async def test_an_order_that_waits_is_deleted_with_all_data(desk: Desk) -> None:
    await desk.bench.people.choose(desk.fake_discord.world.user.id, Notify.NEVER)
    question = await order(desk)
    sure = await desk.click(await privacy(desk), "Delete my data")
    deleted = await desk.click(sure, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "Your data is deleted" in deleted.text)
    late = await desk.click(question, "No, only lay it over")
    assert "request the video again" in late.text
    assert await count(desk) == 0


async def test_deleting_all_data_deletes_the_answer_too(desk: Desk) -> None:
    user_id = desk.fake_discord.world.user.id
    for agrees in (True, False):
        await desk.bench.voice_permissions.answer(user_id, agrees=agrees)
        await desk.bench.retention.delete_all(user_id)
        assert await desk.bench.voice_permissions.answer_of(user_id) is None


async def test_the_command_says_who_may_hear_the_narration(desk: Desk) -> None:
    [video] = [
        command for command in desk.fake_discord.world.commands if command["name"] == "video"
    ]
    [audio] = [option for option in video["options"] if option["name"] == "audio"]
    assert "hears it only if you agree" in audio["description"]
