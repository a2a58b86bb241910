"""The card names what title cards can't draw, before the video is ordered."""

# ruff: noqa: RUF001  # letters of many scripts are the subject here

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.delivery.views.card import CardRenderer
from bot.model import JobState
from bot.storyboard.lettering.coverage import StoryboardCoverage
from bot.texts import Texts
from tests.support.jobs import job
from tests.support.shown import read

if TYPE_CHECKING:
    from bot.model import Job
    from tests.support.fakes.clock import Clock

LINE = "-# These characters can't be drawn, so they are left out: "


@pytest.fixture
def cards(clock: Clock) -> CardRenderer:
    return CardRenderer(
        Texts.load(),
        free_backends=frozenset(),
        clock=clock,
        coverage={"storyboard": StoryboardCoverage()},
    )


def order(prompt: str, state: JobState = JobState.RECEIVED, backend: str = "storyboard") -> Job:
    made = job(state)
    return replace(made, backend=backend, request=replace(made.request, prompt=prompt))


def left_out(cards: CardRenderer, made: Job) -> list[str]:
    return [line.removeprefix(LINE) for line in read(cards.render(made)) if line.startswith(LINE)]


@pytest.mark.parametrize("state", [JobState.RECEIVED, JobState.QUEUED, JobState.SUBMITTING])
def test_the_characters_are_named_until_the_video_is_submitted(
    cards: CardRenderer, state: JobState
) -> None:
    assert left_out(cards, order("Cherokee ᏣᎳᎩ Ꮳ", state)) == ["Ꮳ Ꮃ Ꭹ"]


def test_they_are_not_named_later(cards: CardRenderer) -> None:
    assert left_out(cards, order("ᏣᎳᎩ", JobState.GENERATING)) == []


@pytest.mark.parametrize(
    "prompt", ["A cat", "Straße 虹 قوس 🌈 👩\u200d👩\u200d👧 🇩🇪", "שלום\u202e", "e\u0301\ufe0f"]
)
def test_what_can_be_drawn_is_not_named(cards: CardRenderer, prompt: str) -> None:
    assert left_out(cards, order(prompt)) == []


def test_a_backend_that_draws_no_text_names_nothing(cards: CardRenderer) -> None:
    assert left_out(cards, order("ᏣᎳᎩ", backend="openai")) == []


def test_of_many_characters_the_first_are_named(cards: CardRenderer) -> None:
    many = "".join(chr(code) for code in range(0x13A0, 0x13F0))
    (named,) = left_out(cards, order(many))
    assert named.endswith(" …")
    assert len(named.split()) == 13
