"""The buttons of a finished card and their forms: Again, Edit prompt, Add narration, Delete."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.artifacts import Handover
from bot.delivery.views.button_ids import Action
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.state import user as users
from bot.errors import UserError
from bot.model import JobState
from bot.texts import Texts
from cogs._form_values import file_in, is_ticked, text_in
from tests.support.cards import MANAGE_MESSAGES, Errors
from tests.support.desk import PRESETS, open_desk
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.orders import VOICE
from tests.support.form_steps import SOUND, count, finished, form, job_of_card, press, submit_form
from tests.support.media import clips
from tests.support.media.measurements import samples
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import button, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.model import Job
    from bot.presets import Presets
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
FORMS = (Action.EDIT, Action.NARRATE, Action.ATTACH, Action.DELETE)


@pytest.fixture
def presets() -> Presets:
    """Return what the operator locked; a test that needs other presets parametrizes it."""
    return PRESETS


@pytest.fixture
async def desk(tmp_path: Path, presets: Presets) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, presets=presets) as opened:
        opened.bench.backend.finish()
        yield opened
        check_all(opened.fake_discord.history.requests)
        assert opened.bot.persistent_views == []


@pytest.fixture
def warnings() -> Generator[Errors]:
    handler = Errors(logging.WARNING)
    logging.getLogger("cogs").addHandler(handler)
    yield handler
    logging.getLogger("cogs").removeHandler(handler)


# Again


async def test_again_makes_the_same_once_more_on_a_card_of_its_own(desk: Desk) -> None:
    first = await finished(desk, attachment=VOICE)
    card = await press(desk, Action.AGAIN, first)
    job = await job_of_card(desk, card)
    assert job.request.prompt == first.request.prompt
    assert (job.narration_of, job.attachment) == (first.id, replace(VOICE, url=None))
    assert not card.ephemeral
    assert (await desk.bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert desk.bench.workspace.video(job.id).read_bytes().endswith(b" with voice")


@pytest.mark.parametrize("presets", [replace(PRESETS, model="newer", seconds=4)])
async def test_again_goes_by_todays_presets(desk: Desk) -> None:
    first = await finished(desk)
    assert (first.request.model, first.request.seconds) == ("sora-2", 8)
    job = await job_of_card(desk, await press(desk, Action.AGAIN, first))
    assert (job.request.model, job.request.seconds) == ("newer", 4)


async def test_a_narration_is_found_through_a_job_that_stored_none(desk: Desk) -> None:
    first = await finished(desk, attachment=VOICE)
    second = await job_of_card(desk, await press(desk, Action.AGAIN, first))
    await desk.bench.jobs.cancel(second.id)
    third = await job_of_card(desk, await press(desk, Action.AGAIN, second))
    assert third.narration_of == first.id


@pytest.mark.parametrize("action", [Action.AGAIN, Action.EDIT])
async def test_a_narration_that_is_no_longer_kept_is_told_before_anything_is_made(
    desk: Desk, action: Action
) -> None:
    first = await finished(desk, attachment=VOICE)
    await desk.bench.workspace.delete_files(first.id)
    answer = await press(desk, action, first)
    assert "no longer have that video's narration" in answer.text
    assert answer.ephemeral
    assert await count(desk) == 1


# Edit prompt


async def test_the_prompt_is_edited_and_makes_a_new_video(desk: Desk) -> None:
    first = await finished(desk, attachment=VOICE)
    opened = await form(desk, Action.EDIT, first)
    assert opened.modal is not None
    assert opened.modal["components"][0]["component"]["value"] == first.request.prompt
    card = await submit_form(desk, opened, {"prompt": " a dog under a roof "})
    job = await job_of_card(desk, card)
    assert (job.request.prompt, job.narration_of) == ("a dog under a roof", first.id)


@pytest.mark.parametrize(
    ("prompt", "sentence"), [("  \n ", "what the video should show"), ("x" * 2001, "too long")]
)
async def test_a_prompt_that_will_not_do_is_told(desk: Desk, prompt: str, sentence: str) -> None:
    opened = await form(desk, Action.EDIT, await finished(desk))
    answer = await submit_form(desk, opened, {"prompt": prompt})
    assert sentence in answer.text
    assert answer.ephemeral
    assert await count(desk) == 1


# Add narration


async def test_a_narration_is_added_to_what_is_there(desk: Desk) -> None:
    first = await finished(desk)
    opened = await form(desk, Action.NARRATE, first)
    job = await job_of_card(desk, await submit_form(desk, opened, {"audio": SOUND}))
    assert (job.clip_of, job.request) == (first.id, first.request)
    assert job.attachment is not None
    assert (job.attachment.filename, job.attachment.size) == ("voice.ogg", 4)
    assert (await desk.bench.run_out(job.id)).state is JobState.SUCCEEDED
    [(_, url)] = desk.bench.editor.ingested
    assert url.startswith("http://127.0.0.1:")
    assert desk.bench.backend.posts == 1


async def test_a_narration_needs_the_video(desk: Desk) -> None:
    first = await finished(desk)
    opened = await form(desk, Action.NARRATE, first)
    desk.bench.workspace.video(first.id).unlink()
    assert "no longer have this video" in (await submit_form(desk, opened, {"audio": SOUND})).text
    assert "no longer have this video" in (await press(desk, Action.NARRATE, first)).text
    assert await count(desk) == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "no audio file"),
        ({"audio": replace(SOUND, content=b"." * (1024**2 + 1))}, "too large"),
    ],
)
async def test_what_is_no_narration_is_told(
    desk: Desk, values: dict[str, Any], sentence: str
) -> None:
    opened = await form(desk, Action.NARRATE, await finished(desk))
    assert sentence in (await submit_form(desk, opened, values)).text
    assert await count(desk) == 1


# Delete


async def refused(desk: Desk, **how: Any) -> Job:
    """Run a job of the desk's user that fails because its attachment is no audio."""
    bench = desk.bench
    bench.editor.faults.append(UserError("audio.not_audio", found="PDF"))
    job = await bench.submit(attachment=VOICE, user_id=desk.fake_discord.world.user.id, **how)
    job = await bench.run_out(job.id)
    assert job.state is JobState.FAILED
    return job


async def test_another_file_is_tried_with_the_prompt_as_it_was_or_changed(desk: Desk) -> None:
    first = await refused(desk)
    for prompt in (first.request.prompt, "A dog"):
        opened = await form(desk, Action.ATTACH, first)
        assert first.request.prompt in str(opened.modal)
        job = await job_of_card(
            desk, await submit_form(desk, opened, {"prompt": prompt, "audio": SOUND})
        )
        assert (job.request.prompt, job.narration_of, job.clip_of) == (prompt, None, None)
        assert job.attachment is not None
        assert job.attachment.filename == SOUND.filename
        assert (await desk.bench.run_out(job.id)).state is JobState.SUCCEEDED


async def test_another_file_is_tried_for_the_same_finished_video(desk: Desk) -> None:
    clip = await finished(desk)
    first = await refused(desk, clip_of=clip.id)
    opened = await form(desk, Action.ATTACH, first)
    assert first.request.prompt not in str(opened.modal)
    job = await job_of_card(desk, await submit_form(desk, opened, {"audio": SOUND}))
    assert job.clip_of == clip.id
    desk.bench.workspace.video(clip.id).unlink()
    assert "no longer have this video" in (await press(desk, Action.ATTACH, first)).text


async def test_no_file_and_a_prompt_that_will_not_do_are_told(desk: Desk) -> None:
    first = await refused(desk)
    opened = await form(desk, Action.ATTACH, first)
    assert "no audio file" in (await submit_form(desk, opened, {"prompt": "A dog"})).text
    opened = await form(desk, Action.ATTACH, first)
    sent = {"prompt": "  ", "audio": SOUND}
    assert "Please write" in (await submit_form(desk, opened, sent)).text


async def delete(desk: Desk, opened: Interaction) -> None:
    """Tick the box, send the form, and wait until the bot deletes the card."""
    before = len(desk.made("DELETE /webhooks"))
    await desk.fake_discord.submit(opened, {"sure": True})
    await desk.fake_discord.wait_for(lambda: len(desk.made("DELETE /webhooks")) > before)


async def test_deleting_takes_the_message_and_the_files(desk: Desk) -> None:
    job = await finished(desk, attachment=VOICE)
    opened = await form(desk, Action.DELETE, job)
    await delete(desk, opened)
    assert opened.source is not None
    assert opened.source.deleted
    assert not await desk.bench.workspace.has_video(job.id)
    assert not await desk.bench.workspace.has_narration(job.id)
    gone = await desk.bench.now(job.id)
    assert (gone.request.prompt, gone.deleted_at) == ("", desk.clock())
    for action in (Action.AGAIN, Action.EDIT, Action.NARRATE):
        assert "has been deleted" in (await press(desk, action, job)).text


async def test_a_slow_disk_does_not_keep_discord_waiting_for_its_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await finished(desk)
    opened = await form(desk, Action.DELETE, job)
    delete_files, is_answered = desk.bench.workspace.delete_files, asyncio.Event()

    async def wait_for_the_answer(job_id: str) -> None:
        await is_answered.wait()
        await delete_files(job_id)

    monkeypatch.setattr(desk.bench.workspace, "delete_files", wait_for_the_answer)
    before = len(desk.made("POST /interactions"))
    await desk.fake_discord.submit(opened, {"sure": True})
    await desk.fake_discord.wait_for(lambda: len(desk.made("POST /interactions")) > before)
    is_answered.set()
    await desk.fake_discord.wait_for(lambda: desk.made("DELETE /webhooks"))
    assert not await desk.bench.workspace.has_video(job.id)


async def test_nothing_is_deleted_without_the_tick(desk: Desk) -> None:
    job = await finished(desk)
    opened = await form(desk, Action.DELETE, job)
    assert "nothing was deleted" in (await submit_form(desk, opened, {})).text
    assert await desk.bench.workspace.has_video(job.id)


async def test_a_video_under_way_is_not_deleted(desk: Desk) -> None:
    job = await desk.bench.submit(user_id=desk.fake_discord.world.user.id)
    assert "still in progress" in (await press(desk, Action.DELETE, job)).text
    # The job has ended when the form is sent, but its card does not show that yet.
    await desk.bench.jobs.cancel(job.id)
    opened = await form(desk, Action.DELETE, job)
    assert "still in progress" in (await submit_form(desk, opened, {"sure": True})).text
    await desk.bench.run_out(job.id)
    await delete(desk, await form(desk, Action.DELETE, job))


async def held(desk: Desk) -> Job:
    """Run a job of the desk's user until its video waits for the operator."""
    bench = desk.bench
    bench.deliverer.handover = Handover.HELD
    job = await bench.at(
        JobState.DELIVERING, attachment=VOICE, user_id=desk.fake_discord.world.user.id
    )
    return await bench.step(job.id)


async def test_a_video_that_waits_for_the_operator_is_deleted(desk: Desk) -> None:
    job = await held(desk)
    await delete(desk, await form(desk, Action.DELETE, job))
    gone = await desk.bench.now(job.id)
    assert (gone.state, gone.next_at, gone.request.prompt) == (JobState.CANCELLED, None, "")
    assert not await desk.bench.workspace.has_video(job.id)
    assert desk.bench.deliverer.cards == {}


async def test_a_video_that_is_being_handed_over_is_not_deleted(desk: Desk) -> None:
    job = await held(desk)
    opened = await form(desk, Action.DELETE, job)
    await desk.bench.jobs.wake_postponed_deliveries()
    assert "still in progress" in (await submit_form(desk, opened, {"sure": True})).text
    assert "still in progress" in (await press(desk, Action.DELETE, job)).text
    assert await desk.bench.workspace.has_video(job.id)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_the_card_of_a_job_that_came_to_nothing_is_deleted(
    desk: Desk, state: JobState
) -> None:
    job = await desk.bench.at(state, attachment=VOICE, user_id=desk.fake_discord.world.user.id)
    job = await desk.bench.run_out(job.id)
    opened = await form(desk, Action.DELETE, job)
    assert opened.modal is not None
    assert "your prompt" in str(opened.modal)
    assert "the video I keep" not in str(opened.modal)
    await delete(desk, opened)
    assert opened.source is not None
    assert opened.source.deleted
    assert (await desk.bench.now(job.id)).request.prompt == ""


async def test_a_card_that_can_not_be_removed_can_be_removed_later(
    desk: Desk, warnings: Errors
) -> None:
    job = await finished(desk)
    desk.fake_discord.faults.add("DELETE /webhooks/*", api_errors.UNKNOWN_MESSAGE)
    opened = await form(desk, Action.DELETE, job)
    await delete(desk, opened)
    async with asyncio.timeout(PATIENCE):
        await warnings.came.wait()
    assert warnings.messages == [f"card.undeleted id={job.id} error=NotFound"]
    assert opened.source is not None
    assert not opened.source.deleted
    await delete(desk, await form(desk, Action.DELETE, job))


async def test_a_moderator_deletes_but_makes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "PERMISSIONS", str(int(users.PERMISSIONS) | MANAGE_MESSAGES))
    job, moderator = await finished(desk), desk.fake_discord.world.add_user("grace")
    for action in (Action.AGAIN, Action.EDIT, Action.NARRATE):
        assert "Only the person" in (await press(desk, action, job, user=moderator)).text
    await delete(desk, await form(desk, Action.DELETE, job, user=moderator))
    assert await count(desk) == 1


@pytest.mark.parametrize("action", [Action.AGAIN, *FORMS])
async def test_a_stranger_does_nothing(desk: Desk, action: Action) -> None:
    job, stranger = await finished(desk), desk.fake_discord.world.add_user("grace")
    answer = await press(desk, action, job, user=stranger)
    assert "Only the person" in answer.text
    assert answer.ephemeral
    assert await count(desk) == 1


# The whole bot, with real files


async def test_a_narration_is_added_after_a_restart_and_made_again(tmp_path: Path) -> None:
    voice = clips.make_speech(tmp_path / "voice.wav", seconds=1)
    async with open_wire(tmp_path) as wire:
        async with wire.bot():
            first = await wire.video("A lighthouse")
            await wire.wait_for_video(first)
            await wire.wait_for_job()
            opened = await wire.fake_discord.click(first, button(first, "Add narration"))
            await wire.fake_discord.wait_for(lambda: opened.modal)
        async with wire.bot():
            sent = await wire.fake_discord.submit(opened, {"audio": replace(SOUND, content=voice)})
            second = await wire.fake_discord.answer_to(sent)
            await wire.wait_for_video(second)
            await wire.wait_for_job()
            assert wire.creates() == 1
            assert first.files[0].sha256 != second.files[0].sha256
            pressed = await wire.fake_discord.click(second, button(second, "Again"))
            third = await wire.fake_discord.answer_to(pressed)
            await wire.wait_for_video(third)
            await wire.wait_for_job()
        assert wire.creates() == 2
        stored = query(wire.data_dir, "SELECT id FROM jobs ORDER BY created_at")
        heard = [samples(wire.data_dir / "videos" / f"{job}.mp4") for (job,) in stored[1:]]
        # Only the end may differ: the merge encoded one of them, and the intake the other.
        assert heard[1][:48_000] == heard[0][:48_000]
        assert max(heard[0][:48_000]) > 1000
        assert len(wire.fake_discord.dms()) == 3
        check_all(wire.fake_discord.history.requests)


# Forms in general


@pytest.mark.parametrize("action", FORMS)
async def test_a_form_about_another_persons_job_is_refused_when_it_is_sent(
    desk: Desk, action: Action
) -> None:
    job, stranger = await finished(desk), desk.fake_discord.world.add_user("grace")
    opened = await form(desk, action, job)
    opened.user = stranger
    assert "Only the person" in (await submit_form(desk, opened, {})).text
    assert await desk.bench.workspace.has_video(job.id)


async def test_a_form_that_breaks_tells_the_person_where_the_operator_looks(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    opened = await form(desk, Action.EDIT, await finished(desk))
    async with desk.bench.unwritable():
        sent = await desk.fake_discord.submit(opened, {"prompt": "a dog"})
        answer = await desk.fake_discord.answer_to(sent)
    assert answer.ephemeral
    assert answer.text.endswith(f"{sent.id}.")
    [record] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.getMessage() == f"interaction.failed id={sent.id}"


async def test_a_form_that_can_not_be_shown_is_told(desk: Desk) -> None:
    job = await finished(desk)
    desk.fake_discord.faults.add("POST /interactions/*", faults.Cut())
    assert "Something went wrong" in (await press(desk, Action.EDIT, job)).text


async def test_a_form_that_is_not_ours_is_left_alone(desk: Desk) -> None:
    opened = await form(desk, Action.EDIT, await finished(desk))
    assert opened.modal is not None
    opened.modal["custom_id"] = "another:form"
    await desk.fake_discord.submit(opened, {})
    # The next interaction is answered, and this one was not.
    opened = await form(desk, Action.EDIT, await finished(desk))
    await submit_form(desk, opened, {"prompt": "a dog"})
    assert len(desk.made("POST /interactions")) == 3


ODD: list[Any] = [
    None,
    [],
    {},
    {"components": None},
    {"components": [None, 7, {"component": None}, {"component": {"custom_id": ["x"]}}]},
    {"components": [{"component": {"custom_id": "x"}}]},
    {"components": [{"component": {"custom_id": "x", "value": 7, "values": [None]}}]},
    {"components": [{"component": {"custom_id": "x", "value": None, "values": ["1"]}}]},
    {
        "components": [{"component": {"custom_id": "x", "value": {}, "values": ["1"]}}],
        "resolved": {"attachments": {"1": {"url": None, "filename": "a", "size": 1}}},
    },
    {
        "components": [{"component": {"custom_id": "x", "value": "", "values": ["1"]}}],
        "resolved": {"attachments": {"1": {"url": "u" * 5000, "filename": "a", "size": 1}}},
    },
    {"components": [{}] * 40 + [{"component": {"custom_id": "x", "value": "late"}}]},
]


@pytest.mark.parametrize("data", ODD)
def test_odd_data_is_an_empty_form(data: Any) -> None:
    assert (text_in(data, "x"), is_ticked(data, "x"), file_in(data, "x")) == ("", False, None)


def test_forms_keep_discords_limits_in_every_language() -> None:
    texts = Texts.load()
    keys = [key for key in texts.keys() if key.startswith("form.")]  # noqa: SIM118 - no mapping
    assert keys
    for language in ("en", "de", "ja"):
        for key in keys:
            most = 100 if "_hint" in key else 4000 if key.endswith("_text") else 45
            assert len(texts(key, language)) <= most, (key, language)
