"""The form "Add narration" with a text to speak, and "Again" after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.delivery.views.button_ids import Action
from bot.discord_bot.audio_uploads import AUDIO_FILE_TYPES
from bot.model import JobState, text_attachment
from bot.speech.voice import MAX_TEXT
from tests.support.desk import open_desk
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import VOICE
from tests.support.form_steps import SOUND, count, finished, form, job_of_card, press, submit_form
from tests.support.media import clips
from tests.support.media.measurements import samples
from tests.support.providers.speech_api import SpeechApi
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import button, open_wire, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.model import Job
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
TEXT = "A lighthouse speaks."


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, voice=FakeVoice(b"")) as opened:
        opened.bench.backend.finish()
        yield opened
        check_all(opened.fake_discord.history.requests)


async def narrated(desk: Desk) -> Job:
    """Send the form with a text for a finished video."""
    first = await finished(desk)
    opened = await form(desk, Action.NARRATE, first)
    job = await job_of_card(desk, await submit_form(desk, opened, {"text": f" {TEXT} "}))
    ended = await desk.bench.run_out(job.id)
    assert ended.state is JobState.SUCCEEDED
    return ended


async def speeches(desk: Desk) -> int:
    return len(await desk.bench.database.rows("SELECT * FROM speeches", {}))


async def test_a_text_is_spoken_over_what_is_there(desk: Desk) -> None:
    job = await narrated(desk)
    assert job.clip_of is not None
    assert job.attachment == text_attachment(TEXT)
    assert desk.bench.editor.spoken == [(job.id, TEXT)]
    assert desk.bench.editor.locales == [desk.fake_discord.world.user.locale]
    assert desk.bench.backend.posts == 1
    assert await speeches(desk) == 1


async def test_the_form_takes_a_file_as_before_and_counts_no_speech(desk: Desk) -> None:
    opened = await form(desk, Action.NARRATE, await finished(desk))
    job = await job_of_card(desk, await submit_form(desk, opened, {"audio": SOUND}))
    assert job.attachment is not None
    assert (job.attachment.filename, job.attachment.text) == ("voice.ogg", None)
    assert await speeches(desk) == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "neither an audio file nor a text"),
        ({"text": "  "}, "neither an audio file nor a text"),
        ({"text": TEXT, "audio": SOUND}, "a file and a text"),
        ({"text": "…"}, "nothing to read aloud"),
    ],
)
async def test_what_is_no_narration_is_told_and_costs_nothing(
    desk: Desk, values: dict[str, Any], sentence: str
) -> None:
    opened = await form(desk, Action.NARRATE, await finished(desk))
    answer = await submit_form(desk, opened, values)
    assert sentence in answer.text
    assert answer.ephemeral
    assert (await count(desk), await speeches(desk)) == (1, 0)


async def test_the_form_asks_for_no_more_than_is_taken(desk: Desk) -> None:
    opened = await form(desk, Action.NARRATE, await finished(desk))
    assert opened.modal is not None
    audio, text = (row["component"] for row in opened.modal["components"])
    assert (audio["required"], audio["min_values"]) == (False, 0)
    assert audio["file_types"] == [*AUDIO_FILE_TYPES]
    assert (text["required"], text["max_length"]) == (False, MAX_TEXT)


async def test_the_days_share_of_speech_holds_for_forms_too(desk: Desk) -> None:
    first = await finished(desk)
    for _ in range(2):
        opened = await form(desk, Action.NARRATE, first)
        await job_of_card(desk, await submit_form(desk, opened, {"text": TEXT}))
    opened = await form(desk, Action.NARRATE, first)
    refused = await submit_form(desk, opened, {"text": TEXT})
    assert refused.text.startswith("I can read 2 texts aloud per person")
    assert await count(desk) == 3


async def test_again_takes_over_what_was_spoken(desk: Desk) -> None:
    job = await narrated(desk)
    again = await job_of_card(desk, await press(desk, Action.AGAIN, job))
    assert again.narration_of == job.id
    assert (await desk.bench.run_out(again.id)).state is JobState.SUCCEEDED
    assert len(desk.bench.editor.spoken) == 1
    assert await speeches(desk) == 1


async def test_again_has_a_text_spoken_anew_when_the_sound_is_no_longer_kept(desk: Desk) -> None:
    job = await narrated(desk)
    desk.bench.workspace.narration(job.id).unlink()
    again = await job_of_card(desk, await press(desk, Action.AGAIN, job))
    assert (again.narration_of, again.attachment) == (None, text_attachment(TEXT))
    assert (await desk.bench.run_out(again.id)).state is JobState.SUCCEEDED
    assert len(desk.bench.editor.spoken) == 2
    assert await speeches(desk) == 2


async def test_a_form_from_before_the_voice_was_switched_off_is_told(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as mute:
        mute.bench.backend.finish()
        opened = await form(mute, Action.NARRATE, await finished(mute, attachment=VOICE))
        assert opened.modal is not None
        assert len(opened.modal["components"]) == 1
        opened.modal["components"].append(
            {
                "type": 18,
                "id": 99,
                "label": "Or a text",
                "component": {"type": 4, "id": 98, "custom_id": "text", "style": 2},
            }
        )
        refused = await submit_form(mute, opened, {"text": TEXT})
        assert "no longer read text aloud" in refused.text
        assert await count(mute) == 1


async def test_a_text_is_spoken_after_a_restart_paid_once_and_made_again(tmp_path: Path) -> None:
    clips.make_tone(tmp_path / "voice.mp3", seconds=1)
    async with (
        SpeechApi((tmp_path / "voice.mp3").read_bytes()) as speech,
        open_wire(tmp_path) as wire,
    ):
        wire.overrides = {"narration_backend": "openai", "narration_base_url": speech.base_url}
        async with wire.bot():
            first = await wire.video("A lighthouse")
            await wire.wait_for_video(first)
            await wire.wait_for_job()
            opened = await wire.fake_discord.click(first, button(first, "Add narration"))
            await wire.fake_discord.wait_for(lambda: opened.modal)
        async with wire.bot():
            sent = await wire.fake_discord.submit(opened, {"text": TEXT})
            second = await wire.fake_discord.answer_to(sent)
            await wire.wait_for_video(second)
            await wire.wait_for_job()
            assert (wire.creates(), speech.creates) == (1, [TEXT])
            assert first.files[0].sha256 != second.files[0].sha256
            pressed = await wire.fake_discord.click(second, button(second, "Again"))
            third = await wire.fake_discord.answer_to(pressed)
            await wire.wait_for_video(third)
            await wire.wait_for_job()
            spoke = await wire.fake_discord.answer_to(
                await wire.fake_discord.slash("narrate", {"text": "Good evening."})
            )
            await wire.fake_discord.wait_for(lambda: spoke.files)
        assert (wire.creates(), speech.creates) == (2, [TEXT, "Good evening."])
        async with wire.bot():
            pressed = await wire.fake_discord.click(spoke, button(spoke, "Make a video with this"))
            await wire.fake_discord.wait_for(lambda: pressed.modal)
            sent = await wire.fake_discord.submit(pressed, {"prompt": "A lighthouse at night"})
            fourth = await wire.fake_discord.answer_to(sent)
            await wire.wait_for_video(fourth)
            await wire.wait_for_job()
        assert (wire.creates(), speech.creates) == (3, [TEXT, "Good evening."])
        *stored, (last,) = query(wire.data_dir, "SELECT id FROM jobs ORDER BY created_at")
        assert max(samples(wire.data_dir / "videos" / f"{last}.mp4")[:48_000]) > 1000
        assert third.files[0].size == pytest.approx(second.files[0].size, rel=0.02)
        heard = [samples(wire.data_dir / "videos" / f"{job}.mp4") for (job,) in stored[1:]]
        # Only the end may differ: the merge encoded one of them, and the intake the other.
        assert heard[1][:48_000] == heard[0][:48_000]
        assert max(heard[0][:48_000]) > 1000
        assert len(query(wire.data_dir, "SELECT * FROM speeches")) == 2
        check_all(wire.fake_discord.history.requests)
