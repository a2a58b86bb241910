"""Writes docs/cards.md: the text of every card in each language, from the real component trees.

`make cards` runs it. A test checks that the page is current.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from discord import ui

from bot.artifacts import NOTE_HELD, NOTE_HELD_INSTEAD, NOTE_NOT_MERGED, NOTE_SILENT, Artifact
from bot.delivery.views.card import CardRenderer
from bot.delivery.views.help_view import HelpView
from bot.delivery.views.status_view import StatusReport, StatusView
from bot.errors import Trouble, UserError
from bot.jobs.admission import new_job
from bot.model import (
    Attachment,
    Failure,
    HoldReason,
    Job,
    JobState,
    Origin,
    VideoRequest,
    text_attachment,
)
from bot.moderation.access.gate import Terms, Verdict
from bot.moderation.access.place import OrderPlace
from bot.storyboard.lettering.coverage import StoryboardCoverage
from bot.texts import Texts
from cogs.overview.help import FREE_COMMANDS
from storage.access.pause import Pause
from storage.access.settings import AccessSettings, Rule
from storage.jobs.queue.overview import QueueOverview
from storage.jobs.queue_outlook import Outlook

PAGE = Path(__file__).with_suffix(".md")
_NOW = 1_795_467_600.0
_MIB = 1024 * 1024
_ADA = 1
_URL = "https://videos.example.org/d/…"
_ARTIFACT = Artifact(job_id="-", size=int(31.4 * _MIB), sha256="-", created_at=_NOW)
_LIMIT = 10 * _MIB
_OUTLOOK = Outlook(usual_seconds=98.0)
_OVERVIEW = QueueOverview(running=3, waiting=12, own_running=1, own_waiting=2, places=(4, 9))
_VOICE = Attachment(url=None, filename="voice.ogg", size=1)
_INTRO = """\
# The text of every card

Every card, from the command to each outcome, and the answers to `/status` and `/help`, in each
language. `make cards` generates this page from the bot's own component trees, and a test checks
that it is current. Buttons in bold are highlighted. `↗` marks a button that opens a page, and ▶
marks a video, followed by its text for screen readers. Discord shows italic times in the reader's
language.
"""


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language of the page, with a sample prompt and relative times as Discord writes them."""

    name: str
    prompt: str
    ago: str
    hence: str


# Other languages are listed under their codes, with the English examples.
_LANGUAGES = {
    "en": Language(
        name="English",
        prompt="A paper boat sails down a rainy street",
        ago="20 seconds ago",
        hence="in an hour",
    ),
    "de": Language(
        name="Deutsch",
        prompt="Ein Papierboot fährt durch den Regen",
        ago="vor 20 Sekunden",
        hence="in einer Stunde",
    ),
    "ja": Language(
        name="日本語", prompt="雨の通りを流れていく紙の舟", ago="20秒前", hence="1時間後"
    ),
}

_Make = Callable[[CardRenderer, Job], ui.LayoutView]


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """A card of the page; `changes` are fields of its job."""

    title: str
    changes: Mapping[str, Any]
    make: _Make = CardRenderer.render


def _in_state(title: str, state: JobState, outlook: Outlook = Outlook(), **changes: Any) -> _Scene:  # noqa: ANN401, B008 - a job's fields; frozen
    return _Scene(
        title=title,
        changes={"state": state, **changes},
        make=lambda cards, job: cards.render(job, outlook),
    )


# Headings for the reasons of failures and the notes on finished videos.
_REASONS = {
    "note.not_merged": "the narration could not be added",
    "note.held": "the last frame is held because the narration is longer",
    "note.held_instead": "the last frame is held because a loop would be too large",
    "note.silent": "the narration is silent",
    "failed.auth": "the video service rejects the API key",
    "failed.automod": "the server's AutoMod blocked the card",
    "failed.balance": "the account with the video service is out of credit",
    "failed.setup": "the video service doesn't know the address or model",
    "failed.bug": "an error in the bot",
    "failed.clip_gone": "the video for a new narration has been deleted",
    "failed.file_gone": "the finished video's file is missing",
    "failed.found_harassment": "moderation found harassment",
    "failed.found_hate": "moderation found hate speech",
    "failed.found_illicit": "moderation found something illicit",
    "failed.found_minors": "moderation found sexual content about minors",
    "failed.found_other": "moderation found something else",
    "failed.found_self_harm": "moderation found self-harm",
    "failed.found_sexual": "moderation found sexual content",
    "failed.found_violence": "moderation found violence",
    "failed.unavailable": "the video service accepted nothing for 24 hours",
    "failed.unchecked": "the moderation service can't be reached",
    "failed.no_space": "the disk was full for 24 hours",
    "failed.other_backend": "the bot used another video service for 24 hours",
    "failed.twin": "an identical request is unresolved after 24 hours",
    "failed.unexplained": "the video service refuses without a reason",
    "failed.gone": "the video service lost the job",
    "failed.internal": "an error at the video service",
    "failed.invalid": "the video service rejects the request",
    "failed.moderated": "the video service rejects the prompt",
    "failed.not_a_video": "the result is not a video",
    "failed.not_narrated": "a new narration could not be added",
    "failed.second_bot": "a second copy of the bot has answered",
    "failed.rate": "the video service is too busy",
    "failed.timeout": "the video service took too long",
    "failed.transient": "the video service can't be reached",
    "failed.unacknowledged": "Discord did not accept the card",
    "audio.empty": "the attachment is empty",
    "audio.gone": "Discord no longer has the attachment",
    "audio.unfetched": "Discord's file server does not answer",
    "audio.no_sound": "the attachment contains no sound",
    "audio.not_audio": "the attachment is not audio",
    "audio.not_kept": "the narration has been deleted",
    "audio.over_limit": "the narration is too long, but its length is unknown",
    "audio.silent": "the attachment is silent",
    "audio.too_large": "the attachment is too large",
    "audio.too_long": "the narration is too long",
    "audio.unreadable": "the attachment is damaged",
    "speech.moderated": "the voice service rejects the text",
    "speech.off": "the bot no longer has a voice",
    "speech.other_language": "no voice speaks the language of the text",
    "speech.other_letters": "the voice can't read this alphabet",
    "speech.refused": "the voice service rejects the bot",
    "speech.too_long": "the text takes too long to read aloud",
    "speech.unavailable": "the voice can't be reached",
    "speech.unspeakable": "the voice can't read the text aloud",
    "speech.unsure": "the voice service may have charged for the text",
    "speech.unusable": "the voice service sent no usable audio",
}


_TROUBLES = {
    Trouble.AUTH: "the video service rejects the API key",
    Trouble.BALANCE: "the account is out of credit",
    Trouble.SETUP: "the video service doesn't know the address or model",
    Trouble.OUTAGE: "the video service is down",
}


_HOLDS = {
    HoldReason.DISK: "no disk space",
    HoldReason.TWIN: "an identical request may have been accepted",
}


def _failing(key: str) -> _Scene:
    # The values that the sentences about audio contain.
    found = "PDF" if key == "audio.not_audio" else "MP3"
    fields = {"found": found, "seconds": 734, "max_seconds": 600, "max_mb": 25}
    return _Scene(
        title=f"Failed: {_REASONS[key]}",
        changes={
            "state": JobState.FAILED,
            "failure": Failure(key=key, fields=fields),
            "remote_id": "video_1" if key in _LATE_FAILURES else None,
            "attachment": _VOICE if key.startswith("audio.") else None,
            **(_NEW_NARRATION if key in _NARRATION_FAILURES else {}),
            **(_NEW_SPEECH if key in _SPEECH_FAILURES else {}),
        },
    )


# When a job fails for one of these reasons, the provider has accepted it, and may charge for it.
_LATE_FAILURES = frozenset(
    {"failed.gone", "failed.timeout", "failed.not_a_video", "failed.file_gone"}
)
_NARRATION_FAILURES = frozenset({"failed.clip_gone", "failed.not_narrated"})
_SPEECH_FAILURES = frozenset(
    f"speech.{why}"
    for why in (
        "moderated",
        "off",
        "other_letters",
        "refused",
        "too_long",
        "unavailable",
        "unspeakable",
        "unsure",
        "unusable",
    )
)
# This sentence is a response to a form, and never appears on a card.
_IN_A_FORM = frozenset({"audio.missing"})
_NEW_NARRATION = {"clip_of": "0" * 32, "attachment": _VOICE}
_NEW_SPEECH = {"clip_of": "0" * 32, "attachment": text_attachment("Once upon a time")}


def _with_video(title: str, **options: Any) -> _Scene:  # noqa: ANN401 - as `render_video` has them
    changes = options.pop("changes", {})
    return _Scene(
        title=title,
        changes={"state": JobState.DELIVERING, **changes},
        make=lambda cards, job: cards.render_video(job, filename="clapper.mp4", **options),
    )


def scenes(texts: Texts) -> list[_Scene]:
    """Return every card, from the command to each outcome."""
    return [*_under_way(), *_finished(), *_ended(texts), *_answers(texts)]


def _under_way() -> Iterator[_Scene]:
    yield _Scene(
        title="Posted before the order is stored",
        changes={"state": JobState.RECEIVED},
        make=lambda cards, job: cards.render(job, stage="state.unsaved", note="card.unsaved"),
    )
    yield _in_state("The command has just arrived", JobState.RECEIVED, _OUTLOOK)
    odd = VideoRequest(prompt="ᏣᎳᎩ", model=None, seconds=8, size="1280x720")
    yield _in_state(
        "Title cards can't draw some characters",
        JobState.RECEIVED,
        _OUTLOOK,
        backend="storyboard",
        request=odd,
    )
    waiting = replace(_OUTLOOK, place=3)
    yield _in_state("Queued behind other jobs", JobState.QUEUED, waiting, attachment=_VOICE)
    priced = {"micros": 800_000}
    yield _in_state("Queued, with a known price", JobState.QUEUED, waiting, **priced)
    yield _in_state("Far back in the queue", JobState.QUEUED, replace(_OUTLOOK, place=34))
    yield _in_state("Not accepted yet", JobState.QUEUED, _OUTLOOK, submits=1)
    yield _in_state("Next in the queue", JobState.QUEUED, replace(_OUTLOOK, place=1))
    drain = Pause(words="We are moving to another machine.", is_drain=True)
    drained = replace(_OUTLOOK, place=3, drain=drain)
    yield _in_state("Queued while the operator drains the bot", JobState.QUEUED, drained)
    ending = replace(drained, drain=replace(drain, until=int(_NOW) + 3600))
    yield _in_state("The same, until a time", JobState.QUEUED, ending)
    for trouble in Trouble:
        held = Outlook(trouble=trouble)
        yield _in_state(f"The queue is paused: {_TROUBLES[trouble]}", JobState.QUEUED, held)
    knows = Outlook(trouble=Trouble.AUTH, operator_knows=True)
    yield _in_state("The queue is paused, and the operator knows", JobState.QUEUED, knows)
    yield _in_state("A command that arrives while the queue is paused", JobState.RECEIVED, knows)
    for hold, reason in _HOLDS.items():
        held = Outlook(hold=hold)
        yield _in_state(f"A queued job on hold: {reason}", JobState.QUEUED, held)
    gone, full = (
        Outlook(hold=HoldReason.BACKEND, operator_knows=True),
        Outlook(hold=HoldReason.DISK),
    )
    yield _in_state("On hold while receiving", JobState.RECEIVED, full)
    yield _in_state("On hold while generating", JobState.GENERATING, gone)
    silent = Outlook(hold=HoldReason.UNANSWERED)
    yield _in_state("On hold: the video service isn't responding", JobState.GENERATING, silent)
    yield _in_state("On hold while downloading", JobState.DOWNLOADING, full)
    yield _in_state("Submitting", JobState.SUBMITTING, _OUTLOOK)
    yield _in_state("Submitted, but the response was lost", JobState.UNCONFIRMED)
    yield _in_state("A decision that only the requester can make", JobState.UNDECIDED)
    yield _in_state("Generating, with a percentage", JobState.GENERATING, _OUTLOOK, progress=42)
    yield _in_state("Generating, without a percentage", JobState.GENERATING, _OUTLOOK)
    yield _in_state("Past its deadline", JobState.GENERATING, progress=99, late=True)
    yield _in_state("Downloading", JobState.DOWNLOADING)
    yield _in_state("Finishing", JobState.MERGING)
    yield _in_state("Adding a narration", JobState.MERGING, attachment=_VOICE)
    yield _in_state("Adding a new narration to an old video", JobState.MERGING, **_NEW_NARRATION)
    yield _Scene(
        title="Shrinking a video that is too large for Discord",
        changes={"state": JobState.DELIVERING},
        make=lambda cards, job: cards.render(job, stage="state.fitting"),
    )
    yield _in_state("Delivering", JobState.DELIVERING)
    yield _Scene(
        title="The card can't be edited much longer",
        changes={"state": JobState.GENERATING, "progress": 80},
        make=lambda cards, job: cards.render(job, note="card.by_dm"),
    )


def _finished() -> Iterator[_Scene]:
    yield _with_video("Done")
    yield _with_video("Done, with a known price", changes={"micros": 800_000})
    yield _with_video("Done, with a new narration", changes=_NEW_NARRATION)
    yield _with_video("Done, with a narration", changes={"attachment": _VOICE})
    drawn = {"backend": "storyboard"}
    yield _with_video("Done, drawn by the storyboard", changes=drawn)
    spoken = {**drawn, "attachment": text_attachment("Once upon a time")}
    yield _with_video("Done, drawn by the storyboard, with a text spoken", changes=spoken)
    for note in (NOTE_NOT_MERGED, NOTE_HELD, NOTE_HELD_INSTEAD, NOTE_SILENT):
        yield _with_video(f"Done: {_REASONS[note]}", changes={"note": note, "attachment": _VOICE})
    yield _with_video("Done, as a smaller copy", note="card.smaller", original=_URL)
    yield _with_video("Done, as a much smaller copy without a link", note="card.much_smaller")
    done = {"state": JobState.DELIVERING}
    for player, title in ((_URL, "Done, as a link that plays"), (None, "Done, as a link")):
        yield _Scene(
            title=title,
            changes=done,
            make=lambda cards, job, player=player: cards.render_link(
                job, _ARTIFACT, url=_URL, player=player
            ),
        )
    yield _Scene(
        title="Done, but too large, and without a link",
        changes=done,
        make=lambda cards, job: cards.render_held(job, _ARTIFACT, limit=_LIMIT),
    )
    yield _Scene(
        title="Done, but refused by Discord, and without a link",
        changes=done,
        make=lambda cards, job: cards.render_held(job, _ARTIFACT, limit=_ARTIFACT.size),
    )
    yield _Scene(
        title="Done, but Discord doesn't let the bot attach files",
        changes=done,
        make=lambda cards, job: cards.render_without_video(job),
    )


def _ended(texts: Texts) -> Iterator[_Scene]:
    yield _in_state("Cancelled before it was submitted", JobState.CANCELLED)
    yield _in_state("Cancelled while generating", JobState.CANCELLED, submitted_at=_NOW)
    yield _in_state("Cancelled while reading a text aloud", JobState.CANCELLED, **_NEW_SPEECH)
    keys = texts.keys() - _IN_A_FORM
    yield from map(_failing, sorted(key for key in keys if key.startswith("failed.")))
    yield from map(_failing, sorted(key for key in keys if key.startswith("audio.")))
    yield from map(_failing, sorted(_SPEECH_FAILURES))


def _answers(texts: Texts) -> Iterator[_Scene]:
    """Yield the answers that tell people how things are, and what they may do."""
    pause = Pause(words="Back on Monday.", until=int(_NOW) + 3600)
    trouble = Outlook(trouble=Trouble.BALANCE)
    yield _status(texts, "Status", StatusReport(overview=_OVERVIEW, outlook=_OUTLOOK))
    yield _status(
        texts,
        "Status: orders are paused, and the account is out of credit",
        StatusReport(overview=_OVERVIEW, outlook=trouble, pause=pause),
    )
    yield _help(texts, "Help for people who may order", Verdict(terms=Terms()))
    rules = AccessSettings(roles={7: Rule.ALLOW})
    refusal = UserError("access.blocked")
    refused = Verdict(terms=Terms(server=rules), refusal=refusal)
    yield _help(texts, "Help for blocked people", refused)


def _status(texts: Texts, title: str, report: StatusReport) -> _Scene:
    return _Scene(
        title=title,
        changes={},
        make=lambda _, job: StatusView(texts, job.origin.locale).render(report),
    )


def _help(texts: Texts, title: str, verdict: Verdict) -> _Scene:
    ordering = () if verdict.refusal else ("video", "narrate")
    place = OrderPlace(user_id=_ADA, server_id=1, is_installed=True)
    return _Scene(
        title=title,
        changes={},
        make=lambda _, job: HelpView(texts, job.origin.locale).render(
            (*ordering, *FREE_COMMANDS), verdict, place, members_only=True
        ),
    )


def page() -> str:
    """Return the text of the page."""
    texts = Texts.load()
    cards = CardRenderer(
        texts,
        free_backends=frozenset(),
        voice_costs=True,
        clock=lambda: _NOW,
        coverage={"storyboard": StoryboardCoverage()},
        shows_prices=True,
    )
    english = _LANGUAGES["en"]
    languages = {
        code: _LANGUAGES.get(code, replace(english, name=code))
        for code in ("en", *texts.translations("card.next"))
    }
    head = " | ".join(language.name for language in languages.values())
    rule = " | ".join("---" for _ in languages)
    parts = [_INTRO]
    for scene in scenes(texts):
        drawn = " | ".join(
            _Drawing(language).draw(scene.make(cards, _job(code, language, scene)))
            for code, language in languages.items()
        )
        parts.append(f"## {scene.title}\n\n| {head} |\n| {rule} |\n| {drawn} |\n")
    return "\n".join(parts)


def _job(code: str, language: Language, scene: _Scene) -> Job:
    origin = Origin(
        interaction_id=1,
        application_id=1,
        user_id=_ADA,
        guild_id=1,
        channel_id=1,
        locale=code,
        token=None,
        token_until=0,
        upload_limit=_LIMIT,
    )
    job = new_job(
        VideoRequest(prompt=language.prompt, model=None, seconds=8, size="1280x720"),
        origin,
        None,
        backend="openai",
        now=_NOW - 97,
        next_at=_NOW,
    )
    return replace(job, **({"id": "0123456789abcdef" * 2} | dict(scene.changes)))


class _Drawing:
    """Draws a card in the cell of a table."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def draw(self, view: ui.LayoutView) -> str:
        """Return the cell's text."""
        return "<br>".join(self._lines(view.to_components()))

    def _lines(self, components: list[Any]) -> Iterator[str]:
        for component in components:
            match component["type"]:
                case 17:
                    yield from self._lines(component["components"])
                case 10:
                    yield from map(self._line, component["content"].split("\n"))
                case 12:
                    yield from (f"▶ *{item['description']}*" for item in component["items"])
                case 1:
                    yield " ".join(map(_button, component["components"]))
                case unknown:
                    raise ValueError(f"unknown component type: {unknown}")

    def _line(self, line: str) -> str:
        line = line.replace("\u00a0", " ")
        line = line.replace(f"<@{_ADA}>", "@ada").replace("<@&7>", "@Film")
        line = line.replace(f"<t:{int(_NOW) + 3600}:R>", f"*{self._language.hence}*")
        line = re.sub(r"<t:\d+:R>", f"*{self._language.ago}*", line)
        line = re.sub(r"^> ", "┃ ", line)
        return f"<sub>{line[3:]}</sub>" if line.startswith("-# ") else line


def _button(button: Mapping[str, Any]) -> str:
    text = f"`[ {button['label']}{' ↗' if 'url' in button else ''} ]`"
    return f"**{text}**" if button["style"] in (1, 4) else text


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
