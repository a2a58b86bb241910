"""Each text is read aloud by the voice of its language, and other languages are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import StartupError, UserError
from bot.runtime.adapters import open_voices
from bot.settings.fields import load_settings
from bot.speech.languages import detector
from bot.speech.languages.known import LANGUAGES, script_of
from bot.speech.voices import Voices
from tests.support.fakes.media import FakeVoice
from tests.support.providers.speech_api import SpeechApi

if TYPE_CHECKING:
    from pathlib import Path

VOICES = "en=alloy,de=onyx,fr=coral,ja=nova"
SENTENCES = {
    "alloy": (
        "Good morning!",
        "The cat sleeps.",
        "See you tomorrow.",
        "A lighthouse speaks.",
        "Welcome to my channel",
        "It is raining again.",
        "How does a rainbow form?",
        "Two plus two is four.",
    ),
    "onyx": (
        "Guten Morgen!",
        "Die Katze schläft.",
        "Bis morgen.",
        "Ein Leuchtturm spricht.",
        "Willkommen auf meinem Kanal",
        "Es regnet schon wieder.",
        "Wie entsteht ein Regenbogen?",
        "Der Film ist super",
    ),
    "coral": (
        "Bonjour.",
        "Bonne nuit !",
        "Le chat dort.",
        "À demain.",
        "Un phare parle.",
        "Il pleut encore.",
        "Comment se forme un arc-en-ciel ?",
        "Merci beaucoup",
    ),
    "nova": (
        "こんにちは。",
        "猫が寝ています。",
        "また明日。",
        "虹はどうやってできますか。",
        "ｽﾏｰﾄﾌｫﾝ",
        "Discordの動画",
    ),
}


async def open_listed(listed: str = VOICES, base_url: str = "http://127.0.0.1:1/v1") -> Voices:
    settings = load_settings(
        narration_backend="openai", narration_base_url=base_url, narration_voices=listed
    )
    voices = await open_voices(settings)
    assert voices is not None
    return voices


async def test_thirty_short_sentences_are_sent_with_the_voice_of_their_language(
    tmp_path: Path,
) -> None:
    wanted = [(voice, text) for voice, texts in SENTENCES.items() for text in texts]
    assert len(wanted) == 30
    async with SpeechApi(b"sound") as api:
        voices = await open_listed(base_url=api.base_url)
        for number, (_, text) in enumerate(wanted):
            await (await voices.choose(text)).speak(text, tmp_path / str(number))
        assert list(zip(api.voices, api.creates, strict=True)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Привет, как дела?",
        "Dzień dobry, jak się masz?",
        "Ciao, come stai oggi?",
        "Goedemorgen allemaal, leuk dat jullie er zijn.",
        "안녕하세요",
        "สวัสดี",
    ],
)
async def test_a_language_without_a_voice_is_refused_with_the_names_of_the_others(
    text: str,
) -> None:
    with pytest.raises(UserError) as caught:
        await (await open_listed()).choose(text)
    assert caught.value.key == "speech.other_language"
    assert caught.value.fields == {"languages": "English, Deutsch, français, 日本語"}


class Unsure:
    """A detector that knows no language."""

    def scores(self, text: str) -> dict[str, float]:
        return {"lb": 0.1} if text else {}


@pytest.mark.parametrize(
    ("text", "locale", "expected", "without_default"),
    [
        ("Hm", "de", "de", "de"),
        ("Hm", "en-GB", "en", "en"),
        ("Hm", "pl", "usual", "de"),
        ("Hm", None, "usual", "de"),
        ("Hm", "ja", "usual", "de"),  # a Japanese voice can't read Latin letters
        ("12 34", "ja", "ja", "ja"),
        ("12 34", None, "usual", "de"),
        ("東京", "de", "ja", "ja"),
        ("はい", "de", "ja", "ja"),
    ],
)
async def test_where_the_text_does_not_tell_the_persons_language_decides(
    text: str, locale: str | None, expected: str, without_default: str
) -> None:
    listed = {code: FakeVoice(b"", name=code) for code in ("de", "en", "ja")}
    chosen = await Voices(FakeVoice(b"", name="usual"), listed, Unsure()).choose(text, locale)
    assert chosen.name == expected
    chosen = await Voices(None, listed, Unsure()).choose(text, locale)
    assert chosen.name == without_default


async def test_one_voice_reads_every_language() -> None:
    voices = Voices(FakeVoice(b"", name="usual"))
    assert (voices.languages, voices.costs) == ("", True)
    for text in ("Привет", "Hello", "12"):
        assert (await voices.choose(text, "de")).name == "usual"


async def test_an_empty_voice_is_the_built_in_one(tmp_path: Path) -> None:
    async with SpeechApi(b"sound") as api:
        voices = await open_listed("de=", api.base_url)
        await (await voices.choose("Guten Morgen!")).speak("Guten Morgen!", tmp_path / "spoken")
        assert api.voices == ["alloy"]


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ("en", "write it like en=alloy,de=onyx"),
        ("en-GB=alloy", "write it like en=alloy,de=onyx"),
        ("en=alloy,en=echo", "names en twice"),
        ("xx=alloy", "NARRATION_VOICES: xx is not one of the languages ar, bg,"),
    ],
)
async def test_a_list_with_a_mistake_is_refused_with_the_fix(listed: str, sentence: str) -> None:
    with pytest.raises(StartupError, match=sentence):
        await open_listed(listed)


async def test_without_the_detector_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detector, "find_spec", lambda _: None)
    with pytest.raises(StartupError, match="make voice"):
        await open_listed()


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("What does さくら mean?", "LATIN"),
        ("Discordの動画", "HIRAGANA"),
        ("東京", "CJK"),
        ("\uff26\uff55\uff4c\uff4c", "LATIN"),  # full width
        ("ｽﾏｰﾄﾌｫﾝ", "HIRAGANA"),
        ("50 % 🎬", None),
    ],
)
def test_the_script_is_that_of_most_of_a_text(text: str, script: str | None) -> None:
    assert script_of(text) == script


def test_every_language_has_a_name_in_its_own_script() -> None:
    for language in LANGUAGES.values():
        assert script_of(language.name) in language.scripts
