"""Prompts are quoted on cards and in DMs, and format nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.delivery.views.formatting import cut
from bot.model import Failure, Job, JobState, VideoRequest
from tests.support.fakes.orders import VOICE
from tests.support.jobs import JOB_ID, job
from tests.support.shown import parts, read

if TYPE_CHECKING:
    from bot.delivery.views.card import CardRenderer


def prompted(prompt: str, state: JobState = JobState.QUEUED) -> Job:
    return job(state, request=VideoRequest(prompt=prompt, model=None, seconds=8, size="1280x720"))


@pytest.mark.parametrize(
    "prompt",
    [
        "**bold** _it_ ~~no~~ ||spoiler|| `code`",
        "# heading",
        "-# small",
        "> quote",
        "- item",
        "[click](https://evil.example)",
        "[a](b) [**click**](https://evil.example)",
        "https://a.example/[click](https://evil.example)",
        "@everyone @here",
        "<@123456789012345678>",
        "<#123456789012345678> <t:1800000000:R> </video:123> <:cat:123> <a:cat:123> <id:guide>",
        "a\n# b\r\n\u2028> c",
    ],
)
def test_a_prompt_formats_and_mentions_nothing(cards: CardRenderer, prompt: str) -> None:
    quoted = read(cards.render(prompted(prompt)))[1].removeprefix("> ")
    bare = re.sub(r"\\[*_~|`\\<>#()\-\[\]]", "x", quoted)
    assert not re.search(
        r"\*\*|\|\||~~|`|^\s*(>|-|#)|\[.+\]\(|@(everyone|here|\d)|<[@#:/ait]", bare
    )
    for text in (
        cards.dm(prompted(prompt), link="https://x"),
        cards.dm_with_video(prompted(prompt)),
    ):
        _, line, *_, marker = text.split("\n")
        assert line == f"> {quoted}"
        assert JOB_ID.startswith(marker.removeprefix("-# clapper "))


def test_a_long_prompt_is_cut_to_a_few_lines(cards: CardRenderer) -> None:
    quoted = read(cards.render(prompted("word " * 400)))[1]
    assert quoted.endswith("word…")
    assert len(quoted) <= 302
    view = cards.render_video(prompted("word " * 400), filename="a.mp4")
    [item] = next(part["items"] for part in parts(view) if "items" in part)
    assert len(item["description"]) <= 200


@pytest.mark.parametrize(
    ("text", "characters", "shown"),
    [
        ("a cat on a roof", 15, "a cat on a roof"),
        ("a cat on a roof", 14, "a cat on a…"),
        ("a cat, on a roof", 8, "a cat…"),
        ("a cat on a roof", 9, "a cat on…"),
        ("x" * 40, 10, "x" * 9 + "…"),
        ("a " + "x" * 40, 40, "a " + "x" * 37 + "…"),
        ("猫が屋根の上で寝ています", 6, "猫が屋根の…"),
        ("ab👩\u200d🚒cd", 5, "ab…"),
        ("abe\u0301f", 4, "ab…"),
    ],
)
def test_a_cut_falls_at_the_end_of_a_word_and_never_inside_a_letter(
    text: str, characters: int, shown: str
) -> None:
    assert cut(text, characters) == shown


def test_the_worst_of_prompts_leaves_a_card_within_discords_limit(cards: CardRenderer) -> None:
    worst = prompted("*" * 2000, JobState.FAILED)
    worst = replace(worst, failure=Failure(key="failed.invalid"), attachment=VOICE)
    assert len("".join(read(cards.render(worst)))) < 4000
    assert len(cards.dm(worst, link="https://x.example/" + "x" * 200)) < 2000
