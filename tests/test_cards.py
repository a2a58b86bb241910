"""What people read on a card, state by state."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.delivery.buttons import TEMPLATE, Action, make_button
from bot.delivery.cards import Cards, clock_time, megabytes, progress_bar
from bot.errors import ErrorKind
from bot.model import (
    CANCELLABLE,
    NOTE_CARD_GONE,
    NOTE_NOT_MERGED,
    Artifact,
    Attachment,
    Failure,
    Job,
    JobState,
    VideoRequest,
    new_job,
)
from bot.sandbox.components import every
from bot.texts import Texts
from tests.fakes import START, VOICE, Clock, origin

if TYPE_CHECKING:
    from discord import ui

JOB_ID = "0123456789abcdef" * 2
ARTIFACT = Artifact(job_id=JOB_ID, size=31 * 1024 * 1024, sha256="0" * 64, created_at=START)
MIB = 1024 * 1024


@pytest.fixture
def cards(clock: Clock) -> Cards:
    return Cards(Texts.load(), free_backends=frozenset({"storyboard"}), clock=clock)


def job(state: JobState, **changes: Any) -> Job:
    """Return a job of two minutes ago."""
    template = new_job(
        VideoRequest(prompt="a cat on a roof", model=None, seconds=8, size="1280x720"),
        origin(user_id=42, message_id=77),
        None,
        backend="openai",
        now=START - 120,
        next_at=START,
    )
    fixed = {"id": JOB_ID, "state": state, "epoch": 1, "updated_at": START}
    return replace(template, **(fixed | changes))


def prompted(prompt: str, state: JobState = JobState.QUEUED) -> Job:
    return job(state, request=VideoRequest(prompt=prompt, model=None, seconds=8, size="1280x720"))


def parts(view: ui.LayoutView) -> list[dict[str, Any]]:
    return list(every(view.to_components()))


def read(view: ui.LayoutView) -> list[str]:
    """Return the lines that a person reads."""
    return "\n".join(part["content"] for part in parts(view) if "content" in part).split("\n")


def labels(view: ui.LayoutView) -> list[str]:
    return [part["label"] for part in parts(view) if "label" in part]


def colour(view: ui.LayoutView) -> int:
    return next(part["accent_color"] for part in parts(view) if "accent_color" in part)


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (JobState.RECEIVED, "Getting ready"),
        (JobState.QUEUED, "Waiting its turn"),
        (JobState.SUBMITTING, "Handing it to the video service"),
        (JobState.UNCONFIRMED, "Checking whether the video service took it"),
        (JobState.UNDECIDED, "I can't tell whether the video service accepted this"),
        (JobState.GENERATING, "Creating the video"),
        (JobState.DOWNLOADING, "Fetching the video"),
        (JobState.MERGING, "Finishing the video"),
        (JobState.DELIVERING, "Handing it over"),
        (JobState.CANCELLED, "Cancelled"),
        (JobState.FAILED, "That didn't work"),
    ],
)
def test_each_state_says_what_happens_to_which_prompt(
    cards: Cards, state: JobState, heading: str
) -> None:
    lines = read(cards.render(job(state)))
    assert lines[:2] == [f"**{heading}**", "> a cat on a roof"]
    found_by = " · 0123456789ab" if state is JobState.FAILED else ""
    assert lines[-1] == f"-# For <@42> · openai · 8 s · 1280×720{found_by}"  # noqa: RUF001 - the sign that is meant


@pytest.mark.parametrize("state", JobState)
def test_only_what_can_be_pressed_has_a_button(cards: Cards, state: JobState) -> None:
    if state in {JobState.NOTIFYING, JobState.SUCCEEDED}:
        return  # these cards carry the video
    expected = ["Cancel"] if state in CANCELLABLE else []
    if state is JobState.UNDECIDED:
        expected = ["Try again (may cost twice)", "Give up"]
    assert labels(cards.render(job(state))) == expected


def test_the_narration_is_named_while_it_is_worked_on(cards: Cards) -> None:
    lines = read(cards.render(job(JobState.MERGING, attachment=VOICE)))
    assert lines[0] == "**Adding your narration**"
    assert lines[-1].endswith("· your narration")
    fetched = Attachment(url=None, filename="voice.ogg", size=5)
    assert "your narration" in read(cards.render(job(JobState.QUEUED, attachment=fetched)))[-1]


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (None, f"Started <t:{int(START - 60)}:R>"),
        (0, "`░░░░░░░░░░░░░░░░` 0 %"),
        (50, "`████████░░░░░░░░` 50 %"),
        (100, "`████████████████` 100 %"),
    ],
)
def test_what_is_not_told_in_percent_is_told_in_time(
    cards: Cards, progress: int | None, line: str
) -> None:
    shown = job(JobState.GENERATING, progress=progress, generating_at=START - 60)
    assert read(cards.render(shown))[2] == line


def test_a_late_video_is_said_to_be_late_with_its_progress(cards: Cards) -> None:
    lines = read(cards.render(job(JobState.GENERATING, late=True, progress=99)))
    assert lines[0] == "**Late: still waiting, because it was paid for**"
    assert "99 %" in lines[2]
    lines = read(cards.render(job(JobState.DOWNLOADING, late=True)))
    assert lines[0] == "**Fetching the video**"


def test_a_doubt_names_the_price_of_either_answer(cards: Cards) -> None:
    assert "may be charged twice" in read(cards.render(job(JobState.UNDECIDED)))[2]


@pytest.mark.parametrize("kind", ErrorKind)
def test_each_failure_is_explained_with_what_it_cost(cards: Cards, kind: ErrorKind) -> None:
    failure = Failure(key=f"failed.{kind}", fields={"incident": JOB_ID})
    free = read(cards.render(job(JobState.FAILED, failure=failure)))
    assert free[2] == Texts.load()(f"failed.{kind}")
    assert free[3] == "Nothing was charged."
    paid = read(cards.render(job(JobState.FAILED, failure=failure, remote_id="video_1")))
    assert paid[3] == "The video service may have charged for it."


def test_a_failure_is_told_with_its_numbers(cards: Cards) -> None:
    failure = Failure(key="audio.too_long", fields={"seconds": 700, "max_seconds": 600})
    assert (
        "700 s long, and the most here is 600 s"
        in read(cards.render(job(JobState.FAILED, failure=failure)))[2]
    )


def test_a_cancelled_job_says_whether_it_may_cost(cards: Cards) -> None:
    assert read(cards.render(job(JobState.CANCELLED)))[2] == "Nothing was charged."
    sent = job(JobState.CANCELLED, submitted_at=START - 30)
    assert "may charge for it" in read(cards.render(sent))[2]


def test_what_this_machine_makes_costs_nothing_however_it_ends(cards: Cards) -> None:
    ours = job(JobState.FAILED, backend="storyboard", remote_id="video_1", submitted_at=START)
    failed = replace(ours, failure=Failure(key="failed.timeout"))
    assert read(cards.render(failed))[3] == "Nothing was charged."
    cancelled = replace(ours, state=JobState.CANCELLED)
    assert read(cards.render(cancelled))[2] == "Nothing was charged."


def test_good_bad_open_and_doubtful_cards_look_different(cards: Cards) -> None:
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


def test_a_finished_card_plays_the_video_that_is_uploaded_with_it(cards: Cards) -> None:
    view = cards.render_video(job(JobState.DELIVERING), filename="clapper-01234567.mp4")
    [item] = next(part["items"] for part in parts(view) if "items" in part)
    assert item["media"]["url"] == "attachment://clapper-01234567.mp4"
    assert item["description"] == "a cat on a roof"
    assert read(view) == ["> a cat on a roof", "-# For <@42> · openai · made in 2:00"]
    assert labels(view) == []


@pytest.mark.parametrize("note", [NOTE_NOT_MERGED, NOTE_CARD_GONE])
def test_a_note_stands_with_the_video_and_with_the_link(cards: Cards, note: str) -> None:
    noted = job(JobState.DELIVERING, note=note)
    sentence = Texts.load()(note)
    assert sentence in read(cards.render_video(noted, filename="a.mp4"))
    assert sentence in read(cards.render_link(noted, ARTIFACT, url="https://x.example/d/1"))


def test_a_link_says_how_much_it_leads_to(cards: Cards) -> None:
    view = cards.render_link(job(JobState.DELIVERING), ARTIFACT, url="https://x.example/d/1")
    assert labels(view) == ["Watch the video (31.0 MB)"]
    assert [part["url"] for part in parts(view) if "url" in part] == ["https://x.example/d/1"]
    assert read(view)[-1].endswith("made in 2:00")


def test_a_held_video_says_who_has_to_do_what(cards: Cards) -> None:
    lines = read(cards.render_held(job(JobState.DELIVERING), ARTIFACT, limit=10_000_000))
    assert "its 31.0 MB are more than Discord takes here (9.5 MB)" in lines[1]
    assert "PUBLIC_URL" in lines[1]


@pytest.mark.parametrize(
    "prompt",
    [
        "**bold** _it_ ~~no~~ ||spoiler|| `code`",
        "# heading",
        "-# small",
        "> quote",
        "- item",
        "[click](https://evil.example)",
        "@everyone @here",
        "<@123456789012345678>",
        "a\n# b\r\n\u2028> c",
    ],
)
def test_a_prompt_formats_and_mentions_nothing(cards: Cards, prompt: str) -> None:
    quoted = read(cards.render(prompted(prompt)))[1].removeprefix("> ")
    bare = re.sub(r"\\[*_~|`\\>#\-\[]", "x", quoted)
    assert not re.search(r"\*\*|\|\||~~|`|^\s*(>|-|#)|\[.+\]\(|@(everyone|here|\d)", bare)
    for text in (cards.dm(prompted(prompt), link="https://x"), cards.dm_here(prompted(prompt))):
        _, line, marker = text.split("\n")
        assert line == f"> {quoted}"
        assert JOB_ID.startswith(marker.removeprefix("-# clapper "))


def test_a_long_prompt_is_cut_to_a_few_lines(cards: Cards) -> None:
    quoted = read(cards.render(prompted("word " * 400)))[1]
    assert quoted.endswith("word…")
    assert len(quoted) <= 302
    view = cards.render_video(prompted("word " * 400), filename="a.mp4")
    [item] = next(part["items"] for part in parts(view) if "items" in part)
    assert len(item["description"]) <= 200


def test_the_worst_of_prompts_leaves_a_card_within_discords_limit(cards: Cards) -> None:
    worst = prompted("*" * 2000, JobState.FAILED)
    worst = replace(worst, failure=Failure(key="failed.invalid"), attachment=VOICE)
    assert len("".join(read(cards.render(worst)))) < 4000
    assert len(cards.dm(worst, link="https://x.example/" + "x" * 200)) < 2000


def test_an_unknown_language_reads_english(cards: Cards) -> None:
    foreign = job(JobState.QUEUED, origin=origin(locale="tlh"))
    assert read(cards.render(foreign))[0] == "**Waiting its turn**"


@pytest.mark.parametrize("action", Action)
def test_a_button_carries_its_action_and_job_and_no_more_than_discord_takes(
    action: Action,
) -> None:
    custom_id = make_button(action, JOB_ID, "label").custom_id
    assert custom_id is not None
    assert len(custom_id) <= 100
    match = re.fullmatch(TEMPLATE, custom_id)
    assert match is not None
    assert (match["action"], match["job"]) == (action, JOB_ID)


@pytest.mark.parametrize(
    "custom_id",
    [
        "clapper:cancel:",
        "clapper:cancel:" + "g" * 32,
        "clapper:burn:" + "0" * 32,
        "other:cancel:" + "0" * 32,
        "clapper:cancel:" + "0" * 33,
    ],
)
def test_what_is_no_button_of_ours_is_left_alone(custom_id: str) -> None:
    assert re.fullmatch(TEMPLATE, custom_id) is None


async def test_a_card_is_stopped_so_that_nothing_of_it_stays(cards: Cards) -> None:
    assert cards.render(job(JobState.QUEUED)).is_finished()
    assert cards.render_video(job(JobState.DELIVERING), filename="a.mp4").is_finished()


def test_numbers_read_as_people_write_them() -> None:
    assert [clock_time(s) for s in (-1, 0, 59.6, 61, 3600)] == [
        "0:00",
        "0:00",
        "1:00",
        "1:01",
        "60:00",
    ]
    assert megabytes(9_961_472) == "9.5 MB"
    assert [progress_bar(p).count("█") for p in (0, 3, 4, 50, 97, 100)] == [0, 0, 1, 8, 16, 16]
