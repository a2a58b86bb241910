"""Captions of narrations whose words are known, with hostile texts and sounds of known pauses."""

# ruff: noqa: RUF001  # marks of many scripts are the subject here

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bot.media.captions.alignment import MIN_PAUSE, align
from bot.media.captions.captioner import caption_narration, write_captions
from bot.media.captions.cues import Cue, read_cues, write_cues
from bot.media.captions.sentences import split_sentences, split_to_fit
from bot.media.captions.webvtt import webvtt
from bot.media.narration.ingest import Narration
from bot.media.narration.pause import find_sounds
from tests.support.media.bursts import write_bursts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STORY = (
    "The lighthouse has been dark for thirty years. Tonight, somebody climbs its stairs, slowly, "
    "with a lamp in one hand! Far out, a ship turns its bow towards the coast. Why? No one knows, "
    "not even Dr. Miller, who has lived here since 1945. She waits.\nThe light goes on."
)
JAPANESE = (
    "昔々、山の中に小さな村がありました。村には古い灯台がありました。"
    "誰も使っていません！今夜、灯りがつきます。"
)
ARABIC = "كان المنارة مظلمة منذ ثلاثين عاما. الليلة يصعد شخص ما الدرج. لماذا؟ لا أحد يعرف ذلك."
HOSTILE = [
    'She said "<b>no</b>" & left -->',
    "00:00:01.000 --> 00:00:02.000",
    "WEBVTT",
    "NOTE a remark",
    "STYLE ::cue { color: red }",
    "line one\n\nline two\r\n\r\nline three",
    "שלום <i>עולם</i> &amp; hello",
    "灯台が光る & 消える",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇯🇵",
    "nul \0 and bell \a",
    "x" * 1000,
]
_CUE = re.compile(r"(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})\n(.*)")


def seconds_of(time: str) -> float:
    hours, minutes, seconds = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def shown(text: str) -> list[tuple[float, float, str]]:
    """Parse a WebVTT file, of which every block is a cue."""
    header, *blocks = text.rstrip("\n").split("\n\n")
    assert header == "WEBVTT"
    found = [_CUE.fullmatch(block) for block in blocks]
    assert all(found), blocks
    return [(seconds_of(cue[1]), seconds_of(cue[2]), cue[3]) for cue in found if cue]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_one_cue_and_becomes_no_markup(text: str) -> None:
    ((start, end, words),) = shown(webvtt([Cue(start=1, end=2.5, text=text)], seconds=9))
    assert (start, end) == (1, 2.5)
    assert "<" not in words
    assert ">" not in words
    plain = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain == " ".join(text.split()).replace("\0", "\ufffd")


def test_captions_end_with_the_video_and_empty_texts_are_left_out() -> None:
    cues = [
        Cue(start=0, end=2, text=" \n "),
        Cue(start=3, end=6, text="cut"),
        Cue(start=5, end=8, text="beyond"),
        Cue(start=3_700.5, end=3_701, text="an hour later"),
    ]
    assert shown(webvtt(cues, seconds=5)) == [(3, 5, "cut")]
    assert shown(webvtt(cues[3:], seconds=4_000)) == [(3_700.5, 3_701, "an hour later")]
    assert webvtt([], seconds=5) == "WEBVTT\n"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three…\nFour", ["One.", "Two?", "Three…", "Four"]),
        ('He said: "Stop!" Then he left.', ['He said: "Stop!"', "Then he left."]),
        ("Dr. Who, z. B. am 3. Oktober. Ja.", ["Dr. Who, z. B. am 3. Oktober.", "Ja."]),
        ("It was 1945. It cost 3.50 dollars.", ["It was 1945.", "It cost 3.50 dollars."]),
        ("… and then. — !\n* * *\nEnd", ["… and then. — ! * * *", "End"]),
        ("「やめて！」と言った。そして帰った。", ["「やめて！」", "と言った。", "そして帰った。"]),
        (ARABIC, re.split(r"(?<=[.؟])\s", ARABIC)),
        ("\n \n", []),
    ],
)
def test_a_text_is_split_into_its_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    "text", [STORY, JAPANESE * 3, "x" * 500, "e\u0301" * 300, "👩‍👩‍👧‍👦" * 60, "🇯🇵" * 90, "—" * 200]
)
def test_a_long_text_is_split_into_parts_that_fit(text: str) -> None:
    parts = split_to_fit(text)
    assert "".join(parts).replace(" ", "") == "".join(text.split())
    assert all(part and len(part) <= 84 * 7 for part in parts)
    assert len(parts) > 1
    # No part begins within what readers see as one character.
    assert not any(part[0] in "\u0301\u200d。、" for part in parts)
    assert all(len(part) % 2 == 0 for part in parts if part[0] == "🇯")


def test_clauses_and_words_stay_whole() -> None:
    parts = split_to_fit(STORY)
    assert parts[0].endswith((",", "."))
    assert " ".join(parts) == " ".join(STORY.split())


@pytest.mark.parametrize("text", [STORY, JAPANESE, ARABIC, STORY * 3])
@pytest.mark.parametrize("seed", range(2))
def test_each_sentence_of_one_sound_is_found_within_half_a_second(
    tmp_path: Path, text: str, seed: int
) -> None:
    """The speaker pauses at commas too, varies in pace, and takes some pauses very short."""
    wav, starts = write_bursts(tmp_path / "voice.wav", text, seed=seed)
    cues = align(split_sentences(text), find_sounds(wav, loudness=-20, min_pause=MIN_PAUSE))
    assert [cue.text for cue in cues] == split_sentences(text)
    assert [cue.start for cue in cues] == pytest.approx(starts, abs=0.5)
    assert all(cue.start < cue.end for cue in cues)
    assert all(cue.end <= following.start + 0.001 for cue, following in pairwise(cues))


@pytest.mark.parametrize(
    "sounds",
    [
        [(0.0, 30.0)],  # no pause at all
        [(1.0, 1.5), (20.0, 20.5)],
        [(number / 4, number / 4 + 0.1) for number in range(2000)],  # a ticking clock
    ],
)
@pytest.mark.parametrize("text", [STORY, "No. " * 250, "One word"])
def test_a_sound_that_does_not_fit_its_text_gets_cues_in_order(
    sounds: Sequence[tuple[float, float]], text: str
) -> None:
    cues = align(split_sentences(text), sounds)
    assert " ".join(cue.text for cue in cues).split() == text.split()
    assert [cue.start for cue in cues] == sorted(cue.start for cue in cues)
    assert all(cue.start <= cue.end <= sounds[-1][1] + 0.001 for cue in cues)
    assert cues[0].start == sounds[0][0]


def test_nothing_is_captioned_without_words_or_sound() -> None:
    assert align([], [(0.0, 1.0)]) == []
    assert align(["One."], []) == []


async def test_a_voice_that_knows_its_times_is_believed(tmp_path: Path) -> None:
    cues = [Cue(start=0, end=1.25, text="One."), Cue(start=1.25, end=2, text="Two.")]
    write_cues(tmp_path / "cues.json", cues)
    narration = Narration(path=tmp_path / "missing.wav", seconds=2, loudness=-20)
    await caption_narration(narration, "Other words.", tmp_path / "cues.json")
    assert read_cues(tmp_path / "cues.json") == cues


@pytest.mark.parametrize(
    "content", ["", '{"a": 1}', "[1]", '[{"start": NaN, "end": 1, "text": ""}]']
)
async def test_damaged_cues_are_made_again(tmp_path: Path, content: str) -> None:
    file = tmp_path / "cues.json"
    file.write_text(content)
    wav, starts = write_bursts(tmp_path / "voice.wav", STORY, seed=1)
    narration = Narration(path=wav, seconds=30, loudness=-20)
    await caption_narration(narration, STORY, file)
    cues = read_cues(file)
    assert cues is not None
    assert len(cues) == len(starts)


async def test_a_long_piece_is_shown_in_parts_from_its_start_to_the_next(tmp_path: Path) -> None:
    long = "word " * 39 + "word"
    write_cues(
        tmp_path / "cues.json",
        [
            Cue(start=0.0, end=9.0, text=long),
            Cue(start=9.4, end=11.0, text="Short."),
            Cue(start=20.0, end=21.0, text="Late."),
        ],
    )
    assert await write_captions(tmp_path / "cues.json", tmp_path / "captions.vtt", seconds=30)
    found = shown((tmp_path / "captions.vtt").read_text(encoding="utf-8"))
    *parts, short, late = found
    assert " ".join(words for _, _, words in parts) == long
    assert (parts[0][0], parts[-1][1]) == (0, 9.4)
    assert all(part[1] == following[0] for part, following in pairwise(parts))
    # A pause of seconds shows no words, but the last of them can be read to the end.
    assert short == (9.4, 11.5, "Short.")
    assert late == (20, 21.5, "Late.")


async def test_unknown_words_make_no_captions(tmp_path: Path) -> None:
    for content in (None, "[]"):
        if content is not None:
            (tmp_path / "cues.json").write_text(content)
        assert not await write_captions(tmp_path / "cues.json", tmp_path / "c.vtt", seconds=3)
    assert not (tmp_path / "c.vtt").exists()
