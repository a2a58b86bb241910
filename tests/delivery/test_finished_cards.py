"""Cards with a video, a smaller copy or a link."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import NOTE_NOT_MERGED, NOTE_SILENT
from bot.delivery.views.card import CardRenderer
from bot.delivery.views.service_name import ServiceName
from bot.model import CANCELLABLE, JobState, VideoRequest, text_attachment
from bot.texts import Texts
from tests.support.fakes.clock import START
from tests.support.fakes.orders import VOICE
from tests.support.jobs import job
from tests.support.shown import ARTIFACT, labels, parts, read

if TYPE_CHECKING:
    from bot.model import Attachment
    from tests.support.fakes.clock import Clock

MIB = 1024 * 1024
REQUEST = VideoRequest(prompt="a cat on a roof", model=None, seconds=8, size="1280x720")
FINISHED = ["Again", "Edit prompt", "Add narration", "Delete"]


def test_a_finished_card_plays_the_video_that_is_uploaded_with_it(cards: CardRenderer) -> None:
    view = cards.render_video(job(JobState.DELIVERING), filename="clapper-01234567.mp4")
    [item] = next(part["items"] for part in parts(view) if "items" in part)
    assert item["media"]["url"] == "attachment://clapper-01234567.mp4"
    assert item["description"] == "a cat on a roof"
    assert read(view) == [
        "> a cat on a roof",
        "-# For <@42> · sora-2 · made with AI · made in 2:00",
    ]
    assert labels(view) == FINISHED


@pytest.mark.parametrize("note", [NOTE_NOT_MERGED, NOTE_SILENT])
def test_a_note_stands_with_the_video_and_with_the_link(cards: CardRenderer, note: str) -> None:
    noted = job(JobState.DELIVERING, note=note)
    sentence = Texts.load()(note)
    assert sentence in read(cards.render_video(noted, filename="a.mp4"))
    assert sentence in read(cards.render_link(noted, ARTIFACT, url="https://x.example/d/1"))


@pytest.mark.parametrize(
    ("backend", "model", "label", "named"),
    [
        ("openai", "sora-2", "", ["sora-2"]),
        ("openai", "google/veo_3.1*", "", [r"google/veo\_3.1\*"]),
        ("openai", None, "", []),
        ("storyboard", "sora-2", "", ["storyboard"]),
        ("openai", "sora-2", "OpenAI <@1>", [r"OpenAI \<@1\>"]),
        ("openai", None, "Our GPU", ["Our GPU"]),
        ("storyboard", "sora-2", "Title cards", ["Title cards"]),
    ],
)
def test_a_card_names_who_makes_the_video_and_not_the_protocol(
    clock: Clock, backend: str, model: str | None, label: str, named: list[str]
) -> None:
    name = ServiceName(label=label, backend=backend, model=model)
    cards = CardRenderer(Texts.load(), free_backends=frozenset(), clock=clock, service_name=name)
    made = job(JobState.QUEUED, backend=backend, request=replace(REQUEST, model=model))
    origin = "drawn without AI" if backend == "storyboard" else "made with AI"
    for view, rest in (
        (cards.render(made), ["8 s", "1280×720"]),  # noqa: RUF001 - the multiplication sign
        (cards.render_video(made, filename="a.mp4"), [origin, "made in 2:00"]),
    ):
        assert read(view)[-1] == " · ".join(["-# For <@42>", *named, *rest])


def test_the_label_is_not_given_to_a_job_of_another_service(clock: Clock) -> None:
    name = ServiceName(label="Our GPU", backend="openai", model="wan")
    cards = CardRenderer(Texts.load(), free_backends=frozenset(), clock=clock, service_name=name)
    for backend, model, shown in (("openai", "sora-2", "sora-2"), ("gemini", "wan", "wan")):
        made = job(JobState.QUEUED, backend=backend, request=replace(REQUEST, model=model))
        assert read(cards.render(made))[-1].startswith(f"-# For <@42> · {shown} · 8 s")


def test_a_card_says_what_its_video_costs_or_can_cost(clock: Clock) -> None:
    def footers(micros: int, *, shows_prices: bool = True) -> list[str]:
        cards = CardRenderer(
            Texts.load(), free_backends=frozenset(), clock=clock, shows_prices=shows_prices
        )
        cents = {"micros": micros}
        return [
            read(cards.render(job(JobState.QUEUED, **cents)))[-1],
            read(cards.render(job(JobState.MERGING, **cents)))[-1],
            read(cards.render_video(job(JobState.DELIVERING, **cents), filename="a.mp4"))[-1],
            read(cards.render(job(JobState.CANCELLED, **cents)))[-1],
        ]

    most, merging, finished, cancelled = footers(812_345)
    assert most.endswith(" · up to $0.82")
    assert merging.endswith(" · $0.82")
    assert " · $0.82 · made" in finished
    assert "$" not in cancelled
    for hidden in (footers(0), footers(812_345, shows_prices=False)):
        assert "$" not in "".join(hidden)


def test_a_link_names_the_size_of_its_video(cards: CardRenderer) -> None:
    view = cards.render_link(job(JobState.DELIVERING), ARTIFACT, url="https://x.example/d/1")
    assert labels(view) == ["Watch the video (31 MB)", *FINISHED]
    assert [part["url"] for part in parts(view) if "url" in part] == ["https://x.example/d/1"]
    assert read(view)[-1].endswith("made in 2:00")


def test_a_held_video_says_who_has_to_do_what(cards: CardRenderer) -> None:
    lines = read(cards.render_held(job(JobState.DELIVERING), ARTIFACT, limit=10_000_000))
    assert lines[:2] == ["**Ready, but waiting for the operator**", "> a cat on a roof"]
    assert "at 31 MB it is too large to upload here (limit: 9.5 MB)" in lines[2]
    assert "PUBLIC_URL" in lines[2]


@pytest.mark.parametrize(
    ("size", "limit", "sentence"),
    [
        (10 * MIB + 1, 10 * MIB, "at 10.1 MB it is too large to upload here (limit: 10 MB)"),
        (10 * MIB + 40_000, 10 * MIB + 39_999, "at 10.1 MB it is too large"),
        (10 * MIB, 10 * MIB - 1, "at 10 MB it is too large to upload here (limit: 9.9 MB)"),
        (5 * MIB, 10 * MIB, "Discord won't accept a 5 MB file here"),
        (10 * MIB, 10 * MIB, "Discord won't accept a 10 MB file here"),
    ],
)
def test_a_held_video_never_reads_as_large_as_the_limit(
    cards: CardRenderer, size: int, limit: int, sentence: str
) -> None:
    held = replace(ARTIFACT, size=size)
    assert sentence in read(cards.render_held(job(JobState.DELIVERING), held, limit=limit))[2]


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


def test_a_video_with_a_new_narration_is_not_said_to_be_made_by_a_provider(
    cards: CardRenderer,
) -> None:
    over = job(JobState.DELIVERING, clip_of="a" * 32, attachment=VOICE)
    last = read(cards.render_video(over, filename="a.mp4"))[-1]
    assert last == "-# For <@42> · new narration · made with AI · made in 2:00"


SPOKEN = text_attachment("Once upon a time")
MADE_WITH = [
    ("openai", None, "ai"),
    ("openai", VOICE, "ai"),
    ("gemini", SPOKEN, "ai"),
    ("storyboard", None, "drawn"),
    ("storyboard", VOICE, "drawn"),
    ("storyboard", SPOKEN, "drawn_spoken"),
]


@pytest.mark.parametrize("locale", ["en-GB", "de", "ja"])
@pytest.mark.parametrize(("backend", "attachment", "key"), MADE_WITH)
def test_each_way_to_hand_over_a_video_says_in_the_readers_language_whether_ai_made_it(
    cards: CardRenderer, backend: str, attachment: Attachment | None, key: str, locale: str
) -> None:
    made = job(JobState.DELIVERING, backend=backend, attachment=attachment)
    made = replace(made, requester=replace(made.origin, locale=locale))
    words = Texts.load()(f"made.{key}", locale)
    for view in (
        cards.render_video(made, filename="a.mp4"),
        cards.render_link(made, ARTIFACT, url="https://x.example/d/1"),
    ):
        assert f" · {words} · " in read(view)[-1]
    assert Texts.load()(f"origin.{key}", locale) in cards.dm_with_video(made).split("\n")


def test_a_text_that_was_not_added_to_a_storyboard_is_no_voice(cards: CardRenderer) -> None:
    made = job(JobState.DELIVERING, backend="storyboard", attachment=SPOKEN, note=NOTE_NOT_MERGED)
    last = read(cards.render_video(made, filename="a.mp4"))[-1]
    assert last == "-# For <@42> · storyboard · drawn without AI · made in 2:00"


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
    view = cards.render_link(done, artifact, url=url, player=url)
    galleries = [part["items"] for part in parts(view) if "items" in part]
    assert [item["media"]["url"] for items in galleries for item in items] == [url] * plays
    assert "items" not in "".join(map(str, parts(cards.render_link(done, artifact, url=url))))


def test_a_row_has_no_more_buttons_than_discord_takes(cards: CardRenderer) -> None:
    done = job(JobState.DELIVERING)
    views = [
        cards.render_video(done, filename="a.mp4", original="https://x.example"),
        cards.render_link(done, ARTIFACT, url="https://x.example", player="https://x.example"),
        *(cards.render(job(state)) for state in CANCELLABLE),
    ]
    rows = [part["components"] for view in views for part in parts(view) if part["type"] == 1]
    assert max(map(len, rows)) <= 5
