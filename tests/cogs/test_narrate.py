"""`/narrate`: the audio file, the caps, and the answers when it fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.wire import FakeDiscordError
from bot.errors import BackendError, ErrorKind, MediaError, UserError
from bot.jobs.costs.prices import Prices
from bot.media.files.stores.base import NARRATIONS
from bot.moderation.base import Reason
from bot.speech.voices import Voices
from cogs.narration import narrate as cog
from storage.speeches import SpeechRequester
from tests.support.desk import open_desk
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import origin
from tests.support.fakes.prompts import FakeModerator
from tests.support.media import clips
from tests.support.media.measurements import loudness, sound_seconds
from tests.support.providers.openai_setup import names_in
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
TEXT = "A lighthouse speaks."
DAY = 24 * 60 * 60
LISTENER = 1
EDIT = "PATCH /webhooks/*"


@pytest.fixture
def voice(tmp_path: Path) -> FakeVoice:
    clips.make_tone(tmp_path / "tone.mp3", seconds=3, volume=0.05)
    return FakeVoice((tmp_path / "tone.mp3").read_bytes())


@pytest.fixture
async def desk(tmp_path: Path, voice: FakeVoice) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, voice=voice) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def ask(desk: Desk, text: str = TEXT, **how: Any) -> Message:
    """Type the command, and return the answer when the person may type the next one."""
    interaction = await begin(desk, text, **how)
    message = await desk.fake_discord.answer_to(interaction)
    await until(lambda: has_a_turn(desk, interaction.user.id))
    return message


def has_a_turn(desk: Desk, user_id: int) -> bool:
    narrator = desk.bot.services.narrator
    assert narrator is not None
    try:
        with narrator.speech_lock(user_id):
            return True
    except UserError:
        return False


async def until(condition: Callable[[], object]) -> None:
    """Let other tasks run until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


async def begin(desk: Desk, text: str = TEXT, **how: Any) -> Interaction:
    return await desk.fake_discord.slash("narrate", {"text": text}, **how)


async def test_a_text_comes_back_as_an_mp3_as_loud_as_a_narration(
    desk: Desk, voice: FakeVoice
) -> None:
    answer = await ask(desk, f"  {TEXT}\n")
    assert answer.text.startswith("Here is your text as audio (3 s).")
    assert voice.spoken == [TEXT]
    [file] = answer.files
    assert file.filename == "narration.mp3"
    assert sound_seconds(file.path) == pytest.approx(3, abs=0.1)
    assert loudness(file.path) == pytest.approx(-16, abs=1)


async def test_only_the_sound_and_its_words_are_left_on_the_disk(desk: Desk) -> None:
    await ask(desk)
    assert names_in(desk.bench.root / "work") == []
    kept = (await desk.bench.workspace.inventory()).kept
    assert {file.folder for file in kept} == {NARRATIONS}
    assert sorted(file.key.rpartition(".")[2] == "json" for file in kept) == [False, True]


async def test_it_works_in_a_dm_and_in_another_language(desk: Desk) -> None:
    world = desk.fake_discord.world
    grace = world.add_user("grace", locale="de")
    answer = await ask(desk, user=grace, where=world.dm(grace))
    assert answer.text.startswith("Hier ist dein Text als Audio (3 s).")
    assert answer.files


async def test_it_is_not_offered_without_a_voice(tmp_path: Path) -> None:
    (tmp_path / "mute").mkdir()
    async with open_desk(tmp_path / "mute") as mute:
        with pytest.raises(FakeDiscordError):
            await begin(mute)


class Detector:
    """A detector that knows one Polish word."""

    def scores(self, text: str) -> dict[str, float]:
        return {"pl": 0.9 if text == "Dzień" else 0.1}


async def test_the_persons_language_chooses_the_voice_and_others_are_refused(
    tmp_path: Path, voice: FakeVoice
) -> None:
    german = FakeVoice(voice.sound)
    voices = Voices(None, {"en": voice, "de": german}, Detector())
    async with open_desk(tmp_path, voice=voices) as desk:
        grace = desk.fake_discord.world.add_user("grace", locale="de")
        assert (await ask(desk, "Hm", user=grace)).files
        refused = await ask(desk, "Dzień", user=grace)
        assert "In diesen Sprachen kann ich vorlesen: English, Deutsch." in refused.text
        assert refused.ephemeral
        assert (voice.spoken, german.spoken) == ([], ["Hm"])
        assert len(await desk.bench.database.rows("SELECT id FROM speeches", {})) == 1
        shown = await desk.fake_discord.answer_to(await desk.fake_discord.slash("help", {}))
        assert "I read texts aloud in these languages: English, Deutsch." in shown.text


async def test_a_text_without_words_costs_nothing(desk: Desk, voice: FakeVoice) -> None:
    answer = await ask(desk, "… !")
    assert "nothing to read aloud" in answer.text
    assert answer.ephemeral
    assert voice.spoken == []


async def test_a_blocked_word_is_refused_before_it_is_counted(
    tmp_path: Path, voice: FakeVoice
) -> None:
    async with open_desk(tmp_path, voice=voice, blocked=("lighthouse",)) as desk:
        for _ in range(3):
            answer = await ask(desk)
            assert answer.ephemeral
            assert "blocked" in answer.text or "word" in answer.text
        assert (await ask(desk, "A tower speaks.")).files
    assert voice.spoken == ["A tower speaks."]


async def test_what_the_moderation_finds_or_can_not_tell_is_told_and_not_spoken(
    tmp_path: Path, voice: FakeVoice
) -> None:
    moderator = FakeModerator(reasons={"lighthouse": Reason.OTHER})
    async with open_desk(tmp_path, voice=voice, moderator=moderator) as desk:
        assert "automatic check" in (await ask(desk)).text
        moderator.faults.append(BackendError(ErrorKind.TRANSIENT, "down"))
        assert "couldn't be checked" in (await ask(desk, "A tower speaks.")).text
    assert voice.spoken == []


async def test_each_person_and_all_together_have_a_days_share(desk: Desk, voice: FakeVoice) -> None:
    for _ in range(2):
        await ask(desk)
    refused = await ask(desk)
    assert refused.text.startswith("I can read 2 texts aloud per person in 24 hours")
    assert refused.ephemeral
    grace = desk.fake_discord.world.add_user("grace")
    assert (await ask(desk, user=grace)).files
    assert (await ask(desk, user=grace)).text.startswith(
        "This bot can read 3 texts aloud in 24 hours"
    )
    assert len(voice.spoken) == 3
    desk.clock.advance(DAY + 1)
    assert (await ask(desk)).files


async def test_a_person_has_one_text_spoken_at_a_time(desk: Desk, voice: FakeVoice) -> None:
    voice.answer.clear()
    first = await begin(desk)
    await until(lambda: voice.spoken)
    second = await desk.fake_discord.answer_to(await begin(desk))
    assert "already reading a text of yours aloud" in second.text
    voice.answer.set()
    assert (await desk.fake_discord.answer_to(first)).files
    assert len(voice.spoken) == 1


async def test_a_command_that_comes_twice_is_counted_once(desk: Desk) -> None:
    narrator = desk.bot.services.narrator
    assert narrator is not None
    listener = SpeechRequester(user_id=LISTENER, interaction_id=7)
    assert [await narrator.count(listener, TEXT) for _ in range(4)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (UserError("speech.unsure"), "can't tell whether it charged"),
        (UserError("speech.refused"), "check the NARRATION_ settings"),
        (MediaError("no room"), "Something went wrong on my side"),
    ],
)
async def test_what_the_voice_says_no_to_is_told(
    desk: Desk, voice: FakeVoice, fault: Exception, sentence: str
) -> None:
    voice.faults.append(fault)
    assert sentence in (await ask(desk)).text


async def test_a_voice_that_sends_no_sound_is_told(
    desk: Desk, voice: FakeVoice, tmp_path: Path
) -> None:
    clips.make_silence(tmp_path / "silence.wav")
    clips.make_tone(tmp_path / "long.mp3", seconds=40)
    for sound, sentence in (
        (b"<html>", "didn't send usable audio"),
        ((tmp_path / "silence.wav").read_bytes(), "didn't send usable audio"),
    ):
        voice.sound = sound
        assert sentence in (await ask(desk)).text
    desk.clock.advance(DAY + 1)
    voice.sound = (tmp_path / "long.mp3").read_bytes()
    assert "limit of 30 s" in (await ask(desk)).text


async def test_a_broken_upload_is_tried_again_with_a_fresh_file(
    desk: Desk, voice: FakeVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cog, "_PAUSES", (0.0, 0.0))
    desk.fake_discord.faults.add(EDIT, faults.Cut())
    answer = await ask(desk)
    assert answer.files[0].size > 1000
    assert len(voice.spoken) == 1


async def test_an_upload_that_discord_refuses_is_told(desk: Desk) -> None:
    desk.fake_discord.faults.add(EDIT, api_errors.TOO_LARGE)
    assert "didn't accept the audio file" in (await ask(desk)).text


async def test_an_upload_that_automod_blocks_is_told(desk: Desk) -> None:
    desk.fake_discord.faults.add(EDIT, api_errors.AUTOMOD)
    assert "AutoMod blocked" in (await ask(desk)).text


async def test_what_the_day_has_forgotten_is_not_stored(desk: Desk) -> None:
    await ask(desk)
    await desk.bench.retention.sweep()
    assert len(await desk.bench.database.rows("SELECT * FROM speeches", {})) == 1
    desk.clock.advance(DAY + 1)
    await desk.bench.retention.sweep()
    assert await desk.bench.database.rows("SELECT * FROM speeches", {}) == []


async def test_stopping_in_the_middle_frees_the_persons_turn(desk: Desk, voice: FakeVoice) -> None:
    voice.answer.clear()
    task = asyncio.create_task(_speak(desk))
    await until(lambda: voice.spoken)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert has_a_turn(desk, LISTENER)
    assert names_in(desk.bench.root / "work") == []


async def _speak(desk: Desk) -> None:
    narrator = desk.bot.services.narrator
    assert narrator is not None
    requester = SpeechRequester(user_id=LISTENER, interaction_id=7)
    with narrator.speech_lock(LISTENER):
        speech_id = await narrator.order(requester, origin(user_id=LISTENER), TEXT, None)
        assert speech_id is not None
        async with narrator.speak(TEXT, speech_id):
            pass


async def test_a_text_costs_nothing_if_discord_refuses_the_first_answer(
    tmp_path: Path, voice: FakeVoice
) -> None:
    (tmp_path / "priced").mkdir()
    prices = Prices(voice=20_000)
    async with open_desk(tmp_path / "priced", voice=voice, prices=prices) as desk:
        desk.fake_discord.faults.add("POST /interactions/*", api_errors.UNKNOWN_INTERACTION)
        interaction = await begin(desk)
        requests = desk.fake_discord.history.requests
        await until(lambda: requests[-1].operation.endswith("/callback"))
        await until(lambda: has_a_turn(desk, interaction.user.id))
        rows = await desk.bench.database.rows("SELECT amount FROM ledger ORDER BY id", {})
        assert [row["amount"] for row in rows] == [20_000, -20_000]
        assert voice.spoken == []
