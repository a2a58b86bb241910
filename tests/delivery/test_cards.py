"""The texts and buttons of cards in each state."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.artifacts import NOTE_NOT_MERGED, NOTE_SILENT, Artifact
from bot.delivery.views.button_ids import TEMPLATE, Action, make_button
from bot.delivery.views.card import CardRenderer
from bot.delivery.views.formatting import clock_time, cut, megabytes, progress_bar
from bot.demo.fake_discord.state.components import walk
from bot.errors import ErrorKind
from bot.model import (
    CANCELLABLE,
    Attachment,
    Failure,
    Job,
    JobState,
    Trouble,
    VideoRequest,
    text_attachment,
)
from bot.texts import Texts
from storage.jobs.queue_outlook import Outlook
from tests.support.fakes.clock import START, Clock
from tests.support.fakes.orders import VOICE, origin
from tests.support.jobs import JOB_ID, job

if TYPE_CHECKING:
    from discord import ui

ARTIFACT = Artifact(job_id=JOB_ID, size=31 * 1024 * 1024, sha256="0" * 64, created_at=START)
FINISHED = ["Again", "Edit prompt", "Add narration", "Delete"]


@pytest.fixture
def cards(clock: Clock) -> CardRenderer:
    return CardRenderer(Texts.load(), free_backends=frozenset({"storyboard"}), clock=clock)


def prompted(prompt: str, state: JobState = JobState.QUEUED) -> Job:
    return job(state, request=VideoRequest(prompt=prompt, model=None, seconds=8, size="1280x720"))


def parts(view: ui.LayoutView) -> list[dict[str, Any]]:
    return list(walk(view.to_components()))


def read(view: ui.LayoutView) -> list[str]:
    """Return the lines of text that a view shows."""
    lines = "\n".join(part["content"] for part in parts(view) if "content" in part)
    return lines.replace("\u00a0", " ").split("\n")


def labels(view: ui.LayoutView) -> list[str]:
    return [part["label"] for part in parts(view) if "label" in part]


def colour(view: ui.LayoutView) -> int:
    return next(part["accent_color"] for part in parts(view) if "accent_color" in part)


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (JobState.RECEIVED, "Getting ready"),
        (JobState.QUEUED, "Queued"),
        (JobState.SUBMITTING, "Sending it to the video service"),
        (JobState.UNCONFIRMED, "Checking whether the video service accepted it"),
        (JobState.UNDECIDED, "I can't tell whether the video service accepted this"),
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
    assert lines[-1] == f"-# For <@42> · openai · 8 s · 1280×720{found_by}"  # noqa: RUF001 - the multiplication sign


@pytest.mark.parametrize("state", JobState)
def test_only_what_can_be_pressed_has_a_button(cards: CardRenderer, state: JobState) -> None:
    if state in {JobState.NOTIFYING, JobState.SUCCEEDED}:
        return  # the cards of these states show the video
    ends = {
        JobState.UNDECIDED: ["Try again (may cost twice)", "Give up"],
        JobState.CANCELLED: ["Again", "Edit prompt", "Delete"],
        JobState.FAILED: ["Try again", "Edit prompt", "Delete"],
        JobState.DELIVERING: [],
    }
    assert state in ends or state in CANCELLABLE
    assert labels(cards.render(job(state))) == ends.get(state, ["Cancel"])


@pytest.mark.parametrize(
    ("key", "offered"),
    [
        ("failed.moderated", ["Edit prompt"]),
        ("failed.invalid", ["Edit prompt"]),
        ("failed.transient", ["Try again", "Edit prompt"]),
        ("failed.timeout", ["Try again", "Edit prompt"]),
        ("audio.too_large", ["Try another file"]),
        ("audio.not_kept", ["Try another file"]),
    ],
)
def test_a_failed_job_offers_what_may_help(
    cards: CardRenderer, key: str, offered: list[str]
) -> None:
    failure = Failure(key=key, fields={"max_mb": "25"})
    view = cards.render(job(JobState.FAILED, failure=failure))
    assert labels(view) == [*offered, "Delete"]
    styles = [part["style"] for part in parts(view) if "style" in part]
    assert styles == [*[1, 2][: len(offered)], 4]  # the first stands out


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
    assert lines[0] == "**Running late: still waiting, because it is already paid for**"
    assert "99%" in lines[2]
    lines = read(cards.render(job(JobState.DOWNLOADING, late=True)))
    assert lines[0] == "**Downloading the video**"


def test_an_undecided_job_names_the_cost_of_either_answer(cards: CardRenderer) -> None:
    assert "may cost twice" in read(cards.render(job(JobState.UNDECIDED)))[2]


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
        "700 s long, and the limit is 600 s"
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
    assert "1.234,5 s lang" in read(cards.render(german))[2]
    assert "1,234.5 s long" in read(cards.render(failed))[2]


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


def test_a_finished_card_plays_the_video_that_is_uploaded_with_it(cards: CardRenderer) -> None:
    view = cards.render_video(job(JobState.DELIVERING), filename="clapper-01234567.mp4")
    [item] = next(part["items"] for part in parts(view) if "items" in part)
    assert item["media"]["url"] == "attachment://clapper-01234567.mp4"
    assert item["description"] == "a cat on a roof"
    assert read(view) == ["> a cat on a roof", "-# For <@42> · openai · made in 2:00"]
    assert labels(view) == FINISHED


@pytest.mark.parametrize("note", [NOTE_NOT_MERGED, NOTE_SILENT])
def test_a_note_stands_with_the_video_and_with_the_link(cards: CardRenderer, note: str) -> None:
    noted = job(JobState.DELIVERING, note=note)
    sentence = Texts.load()(note)
    assert sentence in read(cards.render_video(noted, filename="a.mp4"))
    assert sentence in read(cards.render_link(noted, ARTIFACT, url="https://x.example/d/1"))


def test_a_link_names_the_size_of_its_video(cards: CardRenderer) -> None:
    view = cards.render_link(job(JobState.DELIVERING), ARTIFACT, url="https://x.example/d/1")
    assert labels(view) == ["Watch the video (31 MB)", *FINISHED]
    assert [part["url"] for part in parts(view) if "url" in part] == ["https://x.example/d/1"]
    assert read(view)[-1].endswith("made in 2:00")


def test_a_held_video_says_who_has_to_do_what(cards: CardRenderer) -> None:
    lines = read(cards.render_held(job(JobState.DELIVERING), ARTIFACT, limit=10_000_000))
    assert lines[:2] == ["**Ready, but waiting for the operator**", "> a cat on a roof"]
    assert "at 31 MB it is too large for Discord here (limit: 9.5 MB)" in lines[2]
    assert "PUBLIC_URL" in lines[2]


def test_the_wait_for_the_operator_is_not_part_of_the_making(cards: CardRenderer) -> None:
    ready = replace(ARTIFACT, created_at=START - 60)
    made = job(JobState.DELIVERING)
    for view in (
        cards.render_video(made, filename="a.mp4", ready_at=ready.created_at),
        cards.render_link(made, ready, url="https://x.example/d/1"),
    ):
        assert read(view)[-1].endswith("made in 1:00")


def test_a_held_video_can_be_deleted(cards: CardRenderer) -> None:
    view = cards.render_held(job(JobState.DELIVERING), ARTIFACT, limit=10_000_000)
    assert labels(view) == ["Delete"]


@pytest.mark.parametrize(
    ("key", "offered"),
    [
        (None, ["Delete"]),
        ("failed.clip_gone", ["Delete"]),
        ("failed.not_narrated", ["Try another file", "Delete"]),
        ("audio.empty", ["Try another file", "Delete"]),
    ],
)
def test_a_new_narration_that_failed_offers_what_may_help(
    cards: CardRenderer, key: str | None, offered: list[str]
) -> None:
    failure = Failure(key=key) if key else None
    state = JobState.FAILED if key else JobState.CANCELLED
    assert labels(cards.render(job(state, clip_of="1" * 32, failure=failure))) == offered


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
        _, line, marker = text.split("\n")
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


def test_an_unknown_language_reads_english(cards: CardRenderer) -> None:
    foreign = job(JobState.QUEUED, requester=origin(locale="tlh"))
    assert read(cards.render(foreign))[0] == "**Queued**"


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
def test_the_ids_of_other_buttons_do_not_match(custom_id: str) -> None:
    assert re.fullmatch(TEMPLATE, custom_id) is None


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


# The outlook of a job.


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
    assert "After 24 hours" in ends
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
    for place, line in ((1, "Next in the queue"), (12, "Position in the queue: 12")):
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


# A new narration over a finished video.


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
    assert not re.search(r"openai|8 s|may have|may charge", "\n".join(lines))
    assert set(labels(cards.render(over))) <= {"Cancel", "Delete", "Try another file"}


def test_a_video_with_a_new_narration_is_not_said_to_be_made_by_a_provider(
    cards: CardRenderer,
) -> None:
    over = job(JobState.DELIVERING, clip_of="a" * 32, attachment=VOICE)
    last = read(cards.render_video(over, filename="a.mp4"))[-1]
    assert last == "-# For <@42> · new narration · made in 2:00"


# A smaller copy, and links.


def test_a_smaller_copy_says_so_and_leads_to_the_original(cards: CardRenderer) -> None:
    fitted = job(JobState.DELIVERING, note=NOTE_NOT_MERGED)
    url = "https://x.example/d/1"
    view = cards.render_video(fitted, filename="a.mp4", note="card.smaller", original=url)
    texts = Texts.load()
    assert read(view)[1:3] == [texts(NOTE_NOT_MERGED), texts("card.smaller")]
    assert labels(view) == ["Watch in full quality", *FINISHED]
    assert [part["url"] for part in parts(view) if "url" in part] == [url]


@pytest.mark.parametrize(
    ("url", "megabytes", "plays"),
    [
        ("https://x.example/d/1", 49, True),
        ("https://x.example/d/1", 50, False),
        ("http://x.example/d/1", 1, False),
    ],
)
def test_a_link_plays_on_the_card_where_discord_could_play_it(
    cards: CardRenderer, url: str, megabytes: int, *, plays: bool
) -> None:
    artifact = replace(ARTIFACT, size=megabytes * 1024 * 1024)
    done = job(JobState.DELIVERING)
    view = cards.render_link(done, artifact, url=url, inline=True)
    galleries = [part["items"] for part in parts(view) if "items" in part]
    assert [item["media"]["url"] for items in galleries for item in items] == [url] * plays
    assert "items" not in "".join(map(str, parts(cards.render_link(done, artifact, url=url))))


def test_a_row_has_no_more_buttons_than_discord_takes(cards: CardRenderer) -> None:
    done = job(JobState.DELIVERING)
    views = [
        cards.render_video(done, filename="a.mp4", original="https://x.example"),
        cards.render_link(done, ARTIFACT, url="https://x.example", inline=True),
        *(cards.render(job(state)) for state in CANCELLABLE),
    ]
    rows = [part["components"] for view in views for part in parts(view) if part["type"] == 1]
    assert max(map(len, rows)) <= 5
