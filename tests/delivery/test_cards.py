"""The texts and buttons of cards in each state."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.delivery.views.formatting import clock_time, megabytes, progress_bar
from bot.errors import Trouble
from bot.model import CANCELLABLE, Attachment, Failure, JobState
from bot.texts import Texts
from storage.jobs.queue_outlook import Outlook
from tests.support.fakes.clock import START
from tests.support.fakes.orders import VOICE, origin
from tests.support.jobs import job
from tests.support.shown import ARTIFACT, colour, labels, read

if TYPE_CHECKING:
    from bot.delivery.views.card import CardRenderer

WITH_A_VIDEO = {JobState.NOTIFYING, JobState.SUCCEEDED}


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (JobState.RECEIVED, "Getting ready"),
        (JobState.QUEUED, "Queued"),
        (JobState.SUBMITTING, "Sending your request to the video service"),
        (JobState.UNCONFIRMED, "Checking whether the video service accepted your request"),
        (JobState.UNDECIDED, "I can't tell whether the video service accepted your request"),
        (JobState.GENERATING, "Creating the video"),
        (JobState.DOWNLOADING, "Downloading the video"),
        (JobState.MERGING, "Finishing the video"),
        (JobState.DELIVERING, "Delivering the video"),
        (JobState.CANCELLED, "Cancelled"),
        (JobState.FAILED, "That didn't work"),
    ],
)
def test_each_state_says_what_happens_to_which_prompt(
    cards: CardRenderer, state: JobState, heading: str
) -> None:
    lines = read(cards.render(job(state)))
    assert lines[:2] == [f"**{heading}**", "> a cat on a roof"]
    found_by = " · 0123456789ab" if state is JobState.FAILED else ""
    assert lines[-1] == f"-# For <@42> · sora-2 · 8 s · 1280×720{found_by}"  # noqa: RUF001 - the multiplication sign


@pytest.mark.parametrize("state", [state for state in JobState if state not in WITH_A_VIDEO])
def test_only_what_can_be_pressed_has_a_button(cards: CardRenderer, state: JobState) -> None:
    ends = {
        JobState.UNDECIDED: ["Try again (may cost double)", "Give up"],
        JobState.CANCELLED: ["Again", "Edit prompt", "Delete"],
        JobState.FAILED: ["Try again", "Edit prompt", "Delete"],
        JobState.DELIVERING: [],
    }
    assert state in ends or state in CANCELLABLE
    assert labels(cards.render(job(state))) == ends.get(state, ["Cancel"])


def test_the_narration_is_named_while_it_is_worked_on(cards: CardRenderer) -> None:
    lines = read(cards.render(job(JobState.MERGING, attachment=VOICE)))
    assert lines[0] == "**Adding your narration**"
    assert lines[-1].endswith("· with narration")
    fetched = Attachment(url=None, filename="voice.ogg", size=5)
    assert "with narration" in read(cards.render(job(JobState.QUEUED, attachment=fetched)))[-1]


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (None, f"Started <t:{int(START - 60)}:R>"),
        (0, "`░░░░░░░░░░░░░░░░` 0%"),
        (50, "`████████░░░░░░░░` 50%"),
        (100, "`████████████████` 100%"),
    ],
)
def test_what_is_not_told_in_percent_is_told_in_time(
    cards: CardRenderer, progress: int | None, line: str
) -> None:
    shown = job(JobState.GENERATING, progress=progress, generating_at=START - 60)
    assert read(cards.render(shown))[2] == line


def test_a_late_video_is_said_to_be_late_with_its_progress(cards: CardRenderer) -> None:
    lines = read(cards.render(job(JobState.GENERATING, late=True, progress=99)))
    assert lines[0].startswith("**This is taking longer than expected. I'll keep waiting")
    assert "99%" in lines[2]
    lines = read(cards.render(job(JobState.DOWNLOADING, late=True)))
    assert lines[0] == "**Downloading the video**"


def test_an_undecided_job_names_the_cost_of_either_answer(cards: CardRenderer) -> None:
    assert "may charge twice" in read(cards.render(job(JobState.UNDECIDED)))[2]


def test_open_succeeded_failed_and_undecided_cards_have_different_colours(
    cards: CardRenderer,
) -> None:
    looks = {
        colour(cards.render(job(state)))
        for state in (
            JobState.QUEUED,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.UNDECIDED,
        )
    }
    done = colour(cards.render_video(job(JobState.DELIVERING), filename="a.mp4"))
    assert len(looks | {done}) == 5
    linked = cards.render_link(job(JobState.DELIVERING), ARTIFACT, url="https://x.example/d/1")
    assert colour(linked) == done


def test_an_unknown_language_reads_english(cards: CardRenderer) -> None:
    foreign = job(JobState.QUEUED, requester=origin(locale="tlh"))
    assert read(cards.render(foreign))[0] == "**Queued**"


async def test_a_view_is_stopped_and_so_not_kept_in_memory(cards: CardRenderer) -> None:
    assert cards.render(job(JobState.QUEUED)).is_finished()
    assert cards.render_video(job(JobState.DELIVERING), filename="a.mp4").is_finished()


def test_numbers_read_as_people_write_them() -> None:
    assert [clock_time(s) for s in (-1, 0, 59.6, 61, 3600)] == [
        "0:00",
        "0:00",
        "1:00",
        "1:01",
        "1:00:00",
    ]
    assert megabytes(9_961_472) == 9.5
    assert [progress_bar(p).count("█") for p in (0, 6, 7, 50, 99, 100)] == [0, 0, 1, 8, 15, 16]


@pytest.mark.parametrize(
    ("seconds", "english", "german", "japanese"),
    [
        (0.4, "5 seconds", "5 Sekunden", "5秒"),
        (41, "40 seconds", "40 Sekunden", "40秒"),
        (58, "1 minute", "1 Minute", "1分"),
        (74, "1 minute", "1 Minute", "1分"),
        (98, "1½ minutes", "1½ Minuten", "1分半"),
        (119, "2 minutes", "2 Minuten", "2分"),
        (284, "4½ minutes", "4½ Minuten", "4分半"),
        (330, "6 minutes", "6 Minuten", "6分"),
        (3700, "62 minutes", "62 Minuten", "62分"),
    ],
)
def test_the_usual_time_is_written_as_people_say_it(
    cards: CardRenderer, seconds: float, english: str, german: str, japanese: str
) -> None:
    lines = {
        "en-US": f"-# Usually takes about {english}",
        "de": f"-# Dauert meist etwa {german}",
        "ja": f"-# 通常、{japanese}ほどかかります",
    }
    for locale, line in lines.items():
        shown = job(JobState.GENERATING, requester=origin(locale=locale))
        assert read(cards.render(shown, Outlook(usual_seconds=seconds)))[3] == line


@pytest.mark.parametrize("trouble", Trouble)
def test_a_paused_queue_says_why_and_whether_the_operator_knows(
    cards: CardRenderer, trouble: Trouble
) -> None:
    view = cards.render(job(JobState.QUEUED), Outlook(trouble=trouble))
    heading, _, reason, ends, _ = read(view)
    assert heading == "**Waiting for the video service**"
    assert "video service" in reason
    assert "after 24 hours" in ends
    assert labels(view) == ["Cancel"]
    known = Outlook(trouble=trouble, operator_knows=True)
    assert read(cards.render(job(JobState.QUEUED), known))[2:5] == [
        reason,
        "The operator has been notified.",
        ends,
    ]
    assert read(cards.render(job(JobState.RECEIVED), known))[0] == "**Getting ready**"


def test_a_queued_job_shows_its_place_and_the_usual_time(cards: CardRenderer) -> None:
    waiting = job(JobState.QUEUED)
    usual = "-# Usually takes about 1½ minutes"
    for place, line in (
        (1, "Next in the queue"),
        (20, "Place in the queue: 20"),
        (21, "Place in the queue: about 30"),
        (200, "Place in the queue: about 200"),
        (201, "Place in the queue: about 300"),
    ):
        outlook = Outlook(place=place, usual_seconds=98.0)
        assert read(cards.render(waiting, outlook))[2:4] == [line, usual]
    assert read(cards.render(waiting, Outlook(usual_seconds=98.0)))[2] == usual
    assert len(read(cards.render(waiting))) == 3


@pytest.mark.parametrize("progress", [None, 40])
def test_the_usual_time_stands_below_the_progress_until_it_is_late(
    cards: CardRenderer, progress: int | None
) -> None:
    outlook = Outlook(usual_seconds=15.0)
    shown = job(JobState.GENERATING, progress=progress)
    assert read(cards.render(shown, outlook))[3] == "-# Usually takes about 15 seconds"
    assert "usually" not in "".join(read(cards.render(replace(shown, late=True), outlook)))


def test_a_stage_can_replace_the_heading_and_a_note_can_follow(cards: CardRenderer) -> None:
    view = cards.render(job(JobState.DELIVERING), stage="state.fitting", note="card.by_dm")
    lines = read(view)
    assert lines[0] == "**Shrinking the video to fit Discord's limit**"
    assert lines[2] == Texts.load()("card.by_dm")


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (JobState.RECEIVED, "Getting ready"),
        (JobState.MERGING, "Adding your narration"),
        (JobState.DELIVERING, "Delivering the video"),
        (JobState.FAILED, "That didn't work"),
        (JobState.CANCELLED, "Cancelled"),
    ],
)
def test_a_new_narration_speaks_of_no_provider_and_costs_nothing(
    cards: CardRenderer, state: JobState, heading: str
) -> None:
    failure = Failure(key="failed.not_narrated") if state is JobState.FAILED else None
    over = job(state, clip_of="a" * 32, attachment=VOICE, failure=failure)
    lines = read(cards.render(over))
    assert lines[0] == f"**{heading}**"
    assert lines[-1].startswith("-# For <@42> · new narration")
    assert not re.search(r"openai|sora|8 s|may have|may charge", "\n".join(lines))
    assert set(labels(cards.render(over))) <= {"Cancel", "Delete", "Change the narration"}
