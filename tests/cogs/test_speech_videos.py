"""The button below an answer of `/narrate`: a video with the text that was spoken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.jobs.costs.prices import Prices
from bot.model import JobState, text_attachment
from storage.jobs.caps import Caps
from storage.ledger.budgets import Budgets
from tests.support.desk import open_desk
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.media import FakeVoice
from tests.support.form_steps import count, job_of_card, submit_form
from tests.support.media import clips
from tests.support.schemas.discord_spec import check_all
from tests.support.speeches import keep_speech, press_speech, speech_form

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
TEXT = "A lighthouse speaks."
PROMPT = {"prompt": "a lighthouse"}
CLIP, VOICE_PRICE = 800_000, 20_000
DAY = 24 * 60 * 60
EXPIRED = "I don't keep this text any more."


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    prices = Prices(clip=CLIP, voice=VOICE_PRICE)
    async with open_desk(tmp_path, voice=FakeVoice(b"no sound"), prices=prices) as opened:
        opened.bench.backend.finish()
        yield opened
        check_all(opened.fake_discord.history.requests)


async def kept(desk: Desk) -> int:
    return await keep_speech(desk.bench, desk.fake_discord.world.user.id)


def sounds(desk: Desk) -> list[str]:
    folder = desk.bench.root / "narrations"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def test_a_spoken_text_becomes_a_video_without_being_spoken_or_counted_again(
    tmp_path: Path,
) -> None:
    clips.make_tone(tmp_path / "tone.mp3", seconds=1, volume=0.05)
    voice = FakeVoice((tmp_path / "tone.mp3").read_bytes())
    prices = Prices(clip=CLIP, voice=VOICE_PRICE)
    async with open_desk(tmp_path, voice=voice, prices=prices) as desk:
        desk.bench.backend.finish()
        asked = await desk.fake_discord.slash("narrate", {"text": TEXT})
        answer = await desk.fake_discord.answer_to(asked)
        assert "Press the button within a day to make a video with it" in answer.text
        [part] = [part for part in answer.components if "custom_id" in part]
        assert part["label"] == "Make a video with this"
        opened = await desk.fake_discord.click(answer, part["custom_id"])
        await desk.fake_discord.wait_for(lambda: opened.modal)
        for _ in range(2):  # one text may become several videos
            job = await job_of_card(desk, await submit_form(desk, opened, PROMPT))
            assert (job.request.prompt, job.attachment) == ("a lighthouse", text_attachment(TEXT))
            assert (await desk.bench.run_out(job.id)).state is JobState.SUCCEEDED
            sound = desk.bench.workspace.narration(job.id).read_bytes()
            assert sound == (tmp_path / "tone.mp3").read_bytes()
        assert (voice.spoken, desk.bench.editor.spoken) == ([TEXT], [])
        rows = await desk.bench.database.rows("SELECT subject, amount FROM ledger ORDER BY id", {})
        amounts = [row["amount"] for row in rows if row["subject"] == "narration"]
        assert sum(amounts) == amounts[0] == VOICE_PRICE
        assert sum(row["amount"] for row in rows) == VOICE_PRICE + 2 * CLIP
        assert len(await desk.bench.database.rows("SELECT id FROM speeches", {})) == 1
        check_all(desk.fake_discord.history.requests)


async def test_a_text_is_for_its_person_alone(desk: Desk) -> None:
    speech_id = await kept(desk)
    grace = desk.fake_discord.world.add_user("grace")
    answer = await press_speech(desk, speech_id, user=grace)
    assert "Someone else" in answer.text
    assert answer.ephemeral
    assert (await speech_form(desk, speech_id)).modal


async def test_after_a_day_a_sentence_says_so_and_nothing_is_left(desk: Desk) -> None:
    speech_id = await kept(desk)
    opened = await speech_form(desk, speech_id)
    assert len(sounds(desk)) == 1
    desk.clock.advance(DAY)
    for answer in (
        await press_speech(desk, speech_id),
        await submit_form(desk, opened, PROMPT),
        await press_speech(desk, 404),
    ):
        assert answer.text.startswith(EXPIRED)
        assert answer.ephemeral
    await desk.bench.retention.sweep()
    assert sounds(desk) == []
    assert await desk.bench.database.rows("SELECT id FROM speeches", {}) == []
    assert await count(desk) == 0


async def test_a_job_that_waits_to_take_the_sound_over_keeps_it(desk: Desk) -> None:
    opened = await speech_form(desk, await kept(desk))
    job = await job_of_card(desk, await submit_form(desk, opened, PROMPT))
    desk.clock.advance(DAY)
    await desk.bench.retention.sweep()
    assert (await desk.bench.run_out(job.id)).state is JobState.SUCCEEDED
    await desk.bench.retention.sweep()
    assert sounds(desk) == [job.id, f"{job.id}.m4a"]


async def test_privacy_shows_the_texts_and_deletes_them(desk: Desk) -> None:
    speech_id = await kept(desk)
    await kept(desk)
    shown = await desk.fake_discord.answer_to(await desk.fake_discord.slash("privacy", {}))
    assert "2 texts that I read aloud with /narrate, and their audio" in shown.text
    assert "none of the content" not in shown.text
    sure = await desk.click(shown, "Delete my data")
    deleted = await desk.click(sure, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "Your data is deleted" in deleted.text)
    assert "none of the content" in deleted.text
    assert sounds(desk) == []
    rows = await desk.bench.database.rows("SELECT text, narration_id FROM speeches", {})
    assert [tuple(row) for row in rows] == [(None, None)] * 2
    assert (await press_speech(desk, speech_id)).text.startswith(EXPIRED)


@pytest.mark.parametrize(
    ("limits", "prompt", "sentence"),
    [
        ({"budgets": Budgets(day=CLIP - 1)}, "a cat", "budget for today"),
        ({"caps": Caps(open_per_user=1, open_in_all=9, per_day=9)}, "a cat", "in progress"),
        ({"blocked": ("lighthouse",)}, "a cat", "isn't allowed here"),
        ({"blocked": ("forbidden",)}, "a forbidden cat", "isn't allowed here"),
        ({}, "  ", "what the video should show"),
    ],
)
async def test_its_order_is_refused_like_that_of_the_command(
    tmp_path: Path, limits: dict[str, object], prompt: str, sentence: str
) -> None:
    prices = Prices(clip=CLIP, voice=VOICE_PRICE)
    voice = FakeVoice(b"no sound")
    async with open_desk(tmp_path, voice=voice, prices=prices, **limits) as desk:  # pyright: ignore[reportArgumentType]
        opened = await speech_form(desk, await kept(desk))
        if "caps" in limits:
            await desk.bench.submit(user_id=desk.fake_discord.world.user.id)
        before = await count(desk)
        answer = await submit_form(desk, opened, {"prompt": prompt})
        assert sentence in answer.text
        assert answer.ephemeral
        assert await count(desk) == before


async def test_a_sound_that_can_not_be_kept_is_sent_without_the_button(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips.make_tone(tmp_path / "tone.mp3", seconds=1, volume=0.05)
    voice = FakeVoice((tmp_path / "tone.mp3").read_bytes())

    async def fail(job_id: str) -> None:
        raise OSError(job_id)

    async with open_desk(tmp_path, voice=voice) as desk:
        monkeypatch.setattr(desk.bench.workspace, "keep_narration", fail)
        asked = await desk.fake_discord.slash("narrate", {"text": TEXT})
        answer = await desk.fake_discord.answer_to(asked)
        assert answer.files
        assert answer.components == []
        assert answer.text.endswith("Save the file and attach it to /video.")


@pytest.mark.parametrize("is_spoken", [False, True])
async def test_a_text_under_way_is_not_kept_after_its_person_has_deleted_their_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_spoken: bool
) -> None:
    clips.make_tone(tmp_path / "tone.mp3", seconds=1, volume=0.05)
    voice = FakeVoice((tmp_path / "tone.mp3").read_bytes())
    async with open_desk(tmp_path, voice=voice) as desk:
        keep, user_id = desk.bench.workspace.keep_narration, desk.fake_discord.world.user.id

        async def delete_and_keep(narration_id: str) -> None:
            await desk.bench.retention.delete_all(user_id)
            await keep(narration_id)

        if is_spoken:  # its row is written, and its file is not
            monkeypatch.setattr(desk.bench.workspace, "keep_narration", delete_and_keep)
        else:
            voice.answer.clear()
        asked = await desk.fake_discord.slash("narrate", {"text": TEXT})
        if not is_spoken:
            async with asyncio.timeout(PATIENCE):
                while not voice.spoken:  # noqa: ASYNC110 - the voice sends no event
                    await asyncio.sleep(0)
            await desk.bench.retention.delete_all(user_id)
            voice.answer.set()
        answer = await desk.fake_discord.answer_to(asked)
        assert [file.filename for file in answer.files] == ["narration.mp3"]
        assert answer.components == []
        assert sounds(desk) == []
        rows = await desk.bench.database.rows("SELECT text, narration_id FROM speeches", {})
        assert [row["narration_id"] for row in rows] == [None]
        assert TEXT not in [row["text"] for row in rows]
