"""The operator's list of blocked words: reading it, and matching texts."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from bot.delivery.views.button_ids import Action
from bot.errors import StartupError, UserError
from bot.model import JobState, text_attachment
from bot.moderation.words import BlockedWords, load_words
from tests.support.cards import post_card
from tests.support.desk import open_desk
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import VOICE

if TYPE_CHECKING:
    from pathlib import Path


def is_blocked(phrase: str, text: str) -> bool:
    try:
        BlockedWords([phrase]).check(text)
    except UserError as error:
        return (error.key, error.fields) == ("prompt.blocked", {})
    return False


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("ass", "what an ass"),
        ("ass", "ASS!"),
        ("ass", "an ass, a horse"),
        ("ass", "(ass)"),
        ("ass", "ass's ears"),
        ("ass", "ass_ears"),
        ("ass", "an\u200b ass"),
        ("ass", "an as\u200bs"),
        ("ass", "ａｓｓ"),  # noqa: RUF001 - full width
        ("ass", "classy ass"),
        ("STRASSE", "auf der Straße"),
        ("straße", "STRASSE"),
        ("naïve", "so nai\u0308ve"),
        ("bad  word", "a bad\nword here"),
        ("don't", "I don't"),
        ("c++", "write c++ code"),
        ("слово", "плохое СЛОВО!"),
        ("馬鹿", "この馬鹿者"),
        ("ばか", "あなたはばかです"),
        ("バカ", "ﾊﾞｶだな"),
        ("av", "av女優"),
        ("คำหยาบ", "นี่คือคำหยาบมาก"),
        ("शब्द", "यह शब्द है"),
        ("😈", "a 😈cat"),
    ],
)
def test_a_phrase_is_found_as_whole_words_in_any_spelling(phrase: str, text: str) -> None:
    assert is_blocked(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("ass", "a classic glass"),
        ("ass", "assassin"),
        ("ass", "ass2"),
        ("ass", "a s s"),
        ("ass", ""),
        ("hell", "hello, shell"),
        ("bad word", "badword, bad words"),
        ("bad word", "bad, word"),
        ("слов", "слово"),
        ("शब", "शब्द"),
        ("av", "navyの船"),
        ("馬鹿", "馬と鹿"),
    ],
)
def test_a_part_of_a_word_does_not_match(phrase: str, text: str) -> None:
    assert not is_blocked(phrase, text)


def test_every_text_is_checked() -> None:
    words = BlockedWords(["ass", "horse"])
    words.check("a cat", "a dog")
    words.check()
    for texts in (("an ass", "a dog"), ("a cat", "a horse")):
        with pytest.raises(UserError):
            words.check(*texts)


def test_a_long_list_and_a_long_prompt_are_checked_quickly() -> None:
    words = BlockedWords(f"word{number}" for number in range(10_000))
    prompt = "wordy " * 333
    started = time.perf_counter()
    words.check(prompt)
    BlockedWords(["a"]).check("aa" * 1000)
    assert time.perf_counter() - started < 1


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "blocked.txt"
    path.write_bytes(content)
    return path


def test_a_list_has_one_phrase_per_line_and_comments(tmp_path: Path) -> None:
    content = "\ufeff# what we don't want\n\n  Bad Word \r\n  # ass\nhorse # no\nC#\n\u200b\n"
    words = load_words(write(tmp_path, content.encode()))
    assert len(words) == 3
    words.check("an ass, what we don't want", "c")
    for blocked in ("a bad word", "a horse", "in c# again"):
        with pytest.raises(UserError):
            words.check(blocked)


def test_an_empty_list_blocks_nothing(tmp_path: Path) -> None:
    assert len(load_words(write(tmp_path, b"# none yet\n"))) == 0


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"caf\xe9\n", "save it as UTF-8"),
        (b"a" * (1024 * 1024 + 1), "larger than 1 MiB"),
        (b"a\n" * 10_001, "more than 10000 phrases"),
    ],
)
def test_a_list_that_can_not_be_read_is_explained(tmp_path: Path, content: bytes, fix: str) -> None:
    with pytest.raises(StartupError, match=f"^BLOCKED_WORDS_FILE: .*{fix}"):
        load_words(write(tmp_path, content))


def test_a_path_that_is_not_a_file_is_explained_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "none", tmp_path, pipe):
        with pytest.raises(StartupError, match=r"^BLOCKED_WORDS_FILE: there is no file"):
            load_words(path)


# Jobs and commands


async def test_a_blocked_prompt_leaves_no_row_on_any_way_in(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, blocked=("roof",)) as bench:
        for extra in ({}, {"attachment": VOICE}):
            with pytest.raises(UserError, match=r"prompt\.blocked"):
                await bench.submit(**extra)  # pyright: ignore[reportArgumentType] - attachment
        assert await bench.database.rows("SELECT id FROM jobs", {}) == []


async def test_a_text_to_speak_is_checked_like_a_prompt(tmp_path: Path) -> None:
    async with open_bench(tmp_path, Clock(), blocked=("knife",)) as bench:
        source = await bench.at(JobState.SUCCEEDED)
        with pytest.raises(UserError, match=r"prompt\.blocked"):
            await bench.submit(clip_of=source.id, attachment=text_attachment("Bring the knife"))
        await bench.submit(clip_of=source.id, attachment=text_attachment("Bring the spoon"))


async def test_a_narration_is_added_to_a_video_whose_words_were_allowed_then(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock) as bench:
        first = await bench.at(JobState.SUCCEEDED)
        backend, deliverer = bench.backend, bench.deliverer
    async with open_bench(
        tmp_path, clock, backend=backend, deliverer=deliverer, blocked=("roof",)
    ) as bench:
        with pytest.raises(UserError):
            await bench.submit(narration_of=None)
        job = await bench.submit(attachment=VOICE, clip_of=first.id)
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


async def test_only_the_requester_is_told_and_at_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path, blocked=("horse",)) as desk:
        interaction = await desk.fake_discord.slash("video", {"prompt": "A HORSE in the snow"})
        answer = await desk.fake_discord.answer_to(interaction)
        assert answer.ephemeral
        assert "isn't allowed here" in answer.text
        assert "horse" not in answer.text.lower()
        job = await desk.bench.submit(user_id=desk.fake_discord.world.user.id)
        await desk.bench.jobs.cancel(job.id)
        await desk.bench.database.rows("UPDATE jobs SET prompt = 'a horse'", {})
        again = await desk.click(post_card(desk, Action.AGAIN, job.id), "Old")
        assert again.ephemeral
        assert "isn't allowed here" in again.text
        form = await desk.fake_discord.click(
            post_card(desk, Action.EDIT, job.id), f"clapper:{Action.EDIT}:{job.id}"
        )
        await desk.fake_discord.wait_for(lambda: form.modal)
        edited = await desk.fake_discord.submit(form, {"prompt": "two horse heads"})
        reply = await desk.fake_discord.answer_to(edited)
        assert reply.ephemeral
        assert "isn't allowed here" in reply.text
        assert len(await desk.bench.database.rows("SELECT id FROM jobs", {})) == 1
