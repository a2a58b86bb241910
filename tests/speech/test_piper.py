"""The offline voice, with a small program in place of Piper."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import pytest

from bot.errors import StartupError, UserError
from bot.media.captions.cues import read_cues
from bot.media.process.child import LostChildError
from bot.speech import piper
from bot.speech.piper import Piper, make_child, open_piper, spoken_lines
from bot.speech.voice import as_speech_error, checked_text, speak_once
from tests.support.providers.openai_setup import names_in

PROGRAM = Path(__file__).parents[1] / "support" / "media" / "fake_piper.py"


def speaker(folder: Path, *, max_seconds: int = 30, letters: str | None = None) -> Piper:
    model = folder / "a.onnx"
    model.write_bytes(b"a model")
    child = make_child(sys.executable, "-I", str(PROGRAM))
    return Piper(child, model=model, max_seconds=max_seconds, letters=letters)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    (tmp_path / "job").mkdir()
    return tmp_path / "job"


async def test_a_text_becomes_a_wav_and_leaves_nothing_else(tmp_path: Path, job: Path) -> None:
    await speaker(tmp_path).speak("A lighthouse at dusk", job / "voice")
    with wave.open(str(job / "voice")) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(2.0)
    assert names_in(job) == ["cues.json", "voice"]


async def test_each_piece_is_measured_and_becomes_a_cue(tmp_path: Path, job: Path) -> None:
    await speaker(tmp_path).speak("A lighthouse. At dusk?\nYes, there", job / "voice")
    with wave.open(str(job / "voice")) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(3.1)
    cues = read_cues(job / "cues.json")
    assert cues is not None
    assert [(cue.text, cue.start, cue.end) for cue in cues] == [
        ("A lighthouse.", 0.0, pytest.approx(1.3)),
        ("At dusk?", pytest.approx(1.3), pytest.approx(2.1)),
        ("Yes, there", pytest.approx(2.1), pytest.approx(3.1)),
    ]


async def test_a_line_with_nothing_to_speak_does_not_silence_the_others(
    tmp_path: Path, job: Path
) -> None:
    await speaker(tmp_path).speak("Above\n---\nBelow", job / "voice")
    with wave.open(str(job / "voice")) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(1.5)
    assert names_in(job) == ["voice"]  # its times are found at its pauses


async def test_a_finished_file_is_not_spoken_again(tmp_path: Path, job: Path) -> None:
    (job / "voice").write_bytes(b"spoken")
    await speak_once(speaker(tmp_path), "again", job / "voice")
    assert (job / "voice").read_bytes() == b"spoken"


async def test_the_text_is_on_no_command_line_and_no_secret_in_the_environment(
    tmp_path: Path, job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "s3cr3t")
    await speaker(tmp_path).speak("look around -f /etc/passwd", job / "voice")
    seen = (job / "seen").read_text()
    assert "PATH" in seen
    assert "look around" not in seen
    assert "s3cr3t" not in seen


@pytest.mark.parametrize("text", ["choke", "gorge", "a long text " * 60])
async def test_a_text_that_the_voice_can_not_speak_is_refused(
    tmp_path: Path, job: Path, text: str
) -> None:
    with pytest.raises(UserError, match=r"speech\.unspeakable"):
        await speaker(tmp_path, max_seconds=1).speak(text, job / "voice")
    assert names_in(job) == []


async def test_a_lost_voice_may_work_later(tmp_path: Path, job: Path) -> None:
    with pytest.raises(LostChildError):
        await speaker(tmp_path).speak("vanish", job / "voice")
    assert names_in(job) == []


@pytest.mark.parametrize("text", ["Ein Café für 2 €", "1234 !"])
async def test_a_voice_of_one_script_speaks_it(tmp_path: Path, job: Path, text: str) -> None:
    await speaker(tmp_path, letters="LATIN").speak(text, job / "voice")
    assert "voice" in names_in(job)


@pytest.mark.parametrize("text", ["量子力学を説明して", "Привет!"])
async def test_a_voice_of_one_script_refuses_another(tmp_path: Path, job: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"speech\.other_letters"):
        await speaker(tmp_path, letters="LATIN").speak(text, job / "voice")
    assert names_in(job) == []


def test_a_text_is_broken_at_sentences_then_clauses_then_words() -> None:
    assert spoken_lines("One. Two? Three…\nFour") == ["One.", "Two?", "Three…", "Four"]
    clauses = ", ".join(["a clause of some words"] * 20)
    lines = spoken_lines(f"{clauses}. End.")
    assert lines[-1] == "End."
    assert all(line.endswith(",") for line in lines[:-2])
    for odd in (clauses, "word " * 200, "9" * 1000, "-" * 1000):
        assert max(map(len, spoken_lines(odd))) <= 200
        assert "".join(spoken_lines(odd)).replace(" ", "") == odd.replace(" ", "")


def test_a_text_is_stripped_and_limited() -> None:
    assert checked_text("  Hello \t there\r\n\n you ") == "Hello there\nyou"
    for nothing in ("", " \n", "… — !"):
        with pytest.raises(UserError, match=r"speech\.empty"):
            checked_text(nothing)
    with pytest.raises(UserError) as caught:
        checked_text("x" * 1001)
    assert (caught.value.key, caught.value.fields) == ("speech.too_much", {"limit": 1000})


def test_audio_errors_become_errors_about_the_text() -> None:
    long = as_speech_error(UserError("audio.too_long", seconds=9, max_seconds=3))
    assert (long.key, long.fields) == ("speech.too_long", {"seconds": 9, "max_seconds": 3})
    assert as_speech_error(UserError("audio.not_audio", found="HTML")).key == "speech.unusable"
    assert as_speech_error(UserError("speech.unsure")).key == "speech.unsure"


async def test_without_the_packages_the_command_that_installs_them_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(piper, "find_spec", lambda _: None)
    with pytest.raises(StartupError, match="make voice"):
        await open_piper("", child=make_child(), max_seconds=30)


@pytest.mark.parametrize("name", ["missing.onnx", "alone.onnx", "a.txt"])
async def test_a_file_that_is_no_model_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(piper, "find_spec", lambda _: object())
    for file in ("alone.onnx", "a.txt", "a.txt.json"):
        (tmp_path / file).touch()
    with pytest.raises(StartupError, match=rf"^NARRATION_VOICE: .*{name}"):
        await open_piper(str(tmp_path / name), child=make_child(), max_seconds=30)
