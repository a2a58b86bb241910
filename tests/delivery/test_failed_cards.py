"""Cards of jobs that failed or were cancelled: the reason, the cost, the ways on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.delivery.views.card import CardRenderer
from bot.errors import ErrorKind
from bot.model import Failure, JobState, text_attachment
from bot.texts import Texts
from tests.support.fakes.clock import START, Clock
from tests.support.fakes.orders import VOICE
from tests.support.jobs import JOB_ID, job
from tests.support.shown import labels, parts, read


@pytest.mark.parametrize(
    ("key", "offered"),
    [
        ("failed.moderated", ["Edit prompt"]),
        ("failed.invalid", ["Edit prompt"]),
        ("failed.transient", ["Try again", "Edit prompt"]),
        ("failed.timeout", ["Try again", "Edit prompt"]),
        ("audio.too_large", ["Change the narration"]),
        ("audio.not_kept", ["Change the narration"]),
    ],
)
def test_a_failed_job_offers_what_may_help(
    cards: CardRenderer, key: str, offered: list[str]
) -> None:
    failure = Failure(key=key, fields={"max_mb": "25"})
    view = cards.render(job(JobState.FAILED, failure=failure))
    assert labels(view) == [*offered, "Delete"]
    styles = [part["style"] for part in parts(view) if "style" in part]
    assert styles == [*[1, 2][: len(offered)], 2]  # the first stands out, and Delete does not


@pytest.mark.parametrize("kind", ErrorKind)
def test_each_failure_is_explained_with_what_it_cost(cards: CardRenderer, kind: ErrorKind) -> None:
    failure = Failure(key=f"failed.{kind}", fields={"incident": JOB_ID})
    free = read(cards.render(job(JobState.FAILED, failure=failure)))
    assert free[2] == Texts.load()(f"failed.{kind}")
    assert free[3] == "Nothing was charged."
    paid = read(cards.render(job(JobState.FAILED, failure=failure, remote_id="video_1")))
    assert paid[3] == "The video service may have charged for this."


def test_a_fault_of_the_video_service_is_not_reported_as_ours(cards: CardRenderer) -> None:
    theirs = Failure(key=f"failed.{ErrorKind.INTERNAL}")
    ours = Failure(key="failed.bug", fields={"incident": JOB_ID})
    said = [read(cards.render(job(JobState.FAILED, failure=each)))[2] for each in (theirs, ours)]
    assert said[0].startswith("Something went wrong at the video service.")
    assert said[1].startswith("Something went wrong on my side.")


def test_a_failure_is_told_with_its_numbers(cards: CardRenderer) -> None:
    failure = Failure(key="audio.too_long", fields={"seconds": 700, "max_seconds": 600})
    assert (
        "700 seconds long, and the limit is 600 seconds"
        in read(cards.render(job(JobState.FAILED, failure=failure)))[2]
    )


@pytest.mark.parametrize(
    ("locale", "found", "sentence"),
    [
        ("en-US", "DATA", "detected: unknown data"),
        ("de", "DATA", "erkannt: unbekannte Daten"),
        ("de", "PDF", "erkannt: PDF"),
        ("ja", "TEXT", "検出: テキスト"),
    ],
)
def test_what_an_attachment_was_is_told_in_the_persons_language(
    cards: CardRenderer, locale: str, found: str, sentence: str
) -> None:
    failure = Failure(key="audio.not_audio", fields={"found": found})
    failed = job(JobState.FAILED, failure=failure)
    shown = read(cards.render(replace(failed, requester=replace(failed.origin, locale=locale))))
    assert sentence in shown[2]


def test_the_numbers_of_a_failure_are_written_as_the_language_does(cards: CardRenderer) -> None:
    failure = Failure(key="audio.too_long", fields={"seconds": 1234.5, "max_seconds": 600})
    failed = job(JobState.FAILED, failure=failure)
    german = replace(failed, requester=replace(failed.origin, locale="de"))
    assert "1.234,5 Sekunden lang" in read(cards.render(german))[2]
    assert "1,234.5 seconds long" in read(cards.render(failed))[2]


def test_a_cancelled_job_says_whether_it_may_cost(cards: CardRenderer) -> None:
    assert read(cards.render(job(JobState.CANCELLED)))[2] == "Nothing was charged."
    sent = job(JobState.CANCELLED, submitted_at=START - 30)
    assert "may charge for it" in read(cards.render(sent))[2]


def test_a_free_backend_costs_nothing_however_the_job_ends(cards: CardRenderer) -> None:
    ours = job(JobState.FAILED, backend="storyboard", remote_id="video_1", submitted_at=START)
    failed = replace(ours, failure=Failure(key="failed.timeout"))
    assert read(cards.render(failed))[3] == "Nothing was charged."
    cancelled = replace(ours, state=JobState.CANCELLED)
    assert read(cards.render(cancelled))[2] == "Nothing was charged."


SPOKEN = {"clip_of": "0" * 32, "attachment": text_attachment("Once upon a time")}


@pytest.mark.parametrize(
    ("changes", "bill"),
    [
        ({}, ["The voice service may have charged for reading your text aloud."]),
        ({"failure": Failure(key="speech.unusable")}, ["The voice service may have charged"]),
        ({"failure": Failure(key="speech.refused")}, ["Nothing was charged."]),
        ({"failure": Failure(key="speech.unsure")}, ["-# For"]),
        ({"narration_of": "1" * 32}, ["Nothing was charged."]),
        ({"attachment": VOICE}, ["Nothing was charged."]),
    ],
)
def test_what_is_spoken_may_cost_where_the_voice_does(
    clock: Clock, cards: CardRenderer, changes: dict[str, Any], bill: list[str]
) -> None:
    state = JobState.FAILED if "failure" in changes else JobState.CANCELLED
    ended = job(state, **(SPOKEN | changes))
    paid = CardRenderer(Texts.load(), free_backends=frozenset(), voice_costs=True, clock=clock)
    line = 3 if "failure" in changes else 2
    assert read(paid.render(ended))[line].startswith(bill[0])
    if ended.failure is None:
        assert read(cards.render(ended))[line] == "Nothing was charged."


@pytest.mark.parametrize(
    ("key", "offered"),
    [
        (None, ["Delete"]),
        ("failed.clip_gone", ["Delete"]),
        ("failed.not_narrated", ["Change the narration", "Delete"]),
        ("audio.empty", ["Change the narration", "Delete"]),
        ("audio.silent", ["Change the narration", "Delete"]),
    ],
)
def test_a_new_narration_that_failed_offers_what_may_help(
    cards: CardRenderer, key: str | None, offered: list[str]
) -> None:
    failure = Failure(key=key) if key else None
    state = JobState.FAILED if key else JobState.CANCELLED
    assert labels(cards.render(job(state, clip_of="1" * 32, failure=failure))) == offered
