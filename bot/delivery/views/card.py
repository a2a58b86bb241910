"""Renders cards: the message about a job in each of its states, as Discord components."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import discord
from discord import ui

from bot.delivery.views.button_ids import LABELS, Action, make_button
from bot.delivery.views.card_buttons import FINISHED, HELD, buttons_for
from bot.delivery.views.card_text import CardText, in_own_language
from bot.delivery.views.formatting import cut, megabytes, over_limit
from bot.delivery.views.made_with import made_with
from bot.delivery.views.service_name import ServiceName
from bot.model import JobState
from storage.jobs.queue_outlook import Outlook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bot.artifacts import Artifact
    from bot.delivery.views.card_text import Coverage
    from bot.model import Job
    from bot.texts import Texts

_DESCRIPTION_CHARACTERS = 200
# Discord plays a linked video only if its URL uses HTTPS and its file is smaller than this.
_INLINE_BYTES = 50 * 1024 * 1024
_COLOURS = {
    JobState.SUCCEEDED: discord.Colour.from_rgb(46, 160, 67),
    JobState.FAILED: discord.Colour.from_rgb(207, 34, 46),
    JobState.CANCELLED: discord.Colour.from_rgb(110, 118, 129),
    JobState.UNDECIDED: discord.Colour.from_rgb(191, 135, 0),
}
_OPEN = discord.Colour.from_rgb(88, 101, 242)
_NO_OUTLOOK = Outlook()
_BY_MODEL = ServiceName()

_Container = ui.Container[ui.LayoutView]


class CardRenderer:
    """Renders cards and DMs.

    Each view is stopped at once, because discord.py would keep an active view in memory.

    `free_backends`: the backends that never charge.
    `voice_costs`: whether reading a text aloud may be charged.
    `coverage`: for each backend that draws text, the characters that it can't draw.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        free_backends: frozenset[str],
        clock: Callable[[], float],
        voice_costs: bool = False,
        service_name: ServiceName = _BY_MODEL,
        coverage: Mapping[str, Coverage] | None = None,
        shows_prices: bool = False,
    ) -> None:
        self._text = CardText(
            texts,
            free_backends=free_backends,
            voice_costs=voice_costs,
            service_name=service_name,
            clock=clock,
            coverage=coverage or {},
            shows_prices=shows_prices,
        )

    def render(
        self,
        job: Job,
        outlook: Outlook = _NO_OUTLOOK,
        *,
        stage: str | None = None,
        note: str | None = None,
    ) -> ui.LayoutView:
        """Render the card of an open, failed or cancelled job.

        `stage`: the locale key of a heading that is more precise than the state's own heading.
        `note`: the locale key of an additional sentence.
        """
        text = self._text
        heading = text.say(job, stage) if stage else text.stage(job, outlook)
        lines = [text.say(job, "card.heading", state=heading), text.prompt(job)]
        lines += text.details(job, outlook)
        lines += [text.say(job, note)] if note else []
        view, container = _make_view([*lines, text.footer(job)], job.state)
        self._add_buttons(container, job, buttons_for(job))
        return view

    def render_video(
        self,
        job: Job,
        *,
        filename: str,
        ready_at: float | None = None,
        note: str | None = None,
        original: str | None = None,
    ) -> ui.LayoutView:
        """Render the card of a finished video. The same edit uploads the video as `filename`.

        `ready_at`: the Unix time at which the video was ready, or None for the current time.
        `note`: the locale key of a sentence about the uploaded file.
        `original`: the URL of the original video, if the uploaded file is a smaller copy.
        """
        view, container = _make_view([self._text.prompt(job), *self._notes(job, note)])
        container.add_item(_gallery(job, f"attachment://{filename}"))
        container.add_item(ui.TextDisplay(self._text.finished_footer(job, ready_at)))
        if original is not None:
            container.add_item(_link(self._text.say(job, "button.original"), original))
        self._add_buttons(container, job, FINISHED)
        return view

    def render_link(
        self, job: Job, artifact: Artifact, *, url: str, player: str | None = None
    ) -> ui.LayoutView:
        """Render the card of a finished video that is linked rather than uploaded.

        `player`: the URL for a video player. The player is added if `plays_inline` returns True.
        Even then, Discord may refuse the edit.
        """
        text = self._text
        view, container = _make_view([text.say(job, "card.ready"), text.prompt(job)])
        for line in self._notes(job, None):
            container.add_item(ui.TextDisplay(line))
        if player and plays_inline(artifact, player):
            container.add_item(_gallery(job, player))
        container.add_item(ui.TextDisplay(text.finished_footer(job, artifact.created_at)))
        label = text.say(job, "button.watch", size=megabytes(artifact.size))
        container.add_item(_link(label, url))
        self._add_buttons(container, job, FINISHED)
        return view

    def render_without_video(self, job: Job) -> ui.LayoutView:
        """Render the card of a finished video if Discord refuses both its file and its link.

        The prompt is omitted, because the prompt may be what Discord refuses.
        """
        text = self._text
        lines = [text.say(job, "card.ready"), text.say(job, "card.elsewhere"), text.footer(job)]
        view, container = _make_view(lines)
        self._add_buttons(container, job, FINISHED)
        return view

    def render_held(self, job: Job, artifact: Artifact, *, limit: int) -> ui.LayoutView:
        """Render the card of a finished video that can't be delivered until the operator acts.

        `limit`: Discord's file size limit, in bytes.
        """
        text = self._text
        # Discord may also have refused a file that is within the announced limit.
        key = "card.held" if artifact.size > limit else "card.held_refused"
        lines = [
            text.say(job, "card.held_heading"),
            text.prompt(job),
            text.say(job, key, **over_limit(artifact.size, limit)),
            text.footer(job),
        ]
        view, container = _make_view(lines, job.state)
        self._add_buttons(container, job, HELD)
        return view

    def dm(self, job: Job, *, link: str) -> str:
        """Write the DM that links to the finished video or to its card."""
        job = in_own_language(job)
        notes = self._notes(job, None) if job.card_gone else []
        return self._write_dm(job, self._text.say(job, "dm.ready", link=link), *notes)

    def dm_with_video(
        self, job: Job, *, note: str | None = None, original: str | None = None
    ) -> str:
        """Write the DM that contains the finished video.

        `render_video` describes the parameters.
        """
        job = in_own_language(job)
        say = self._text.say
        notes = self._notes(job, note)
        notes += [say(job, "dm.original", link=original)] if original else []
        notes.append(say(job, f"origin.{made_with(job)}"))
        return self._write_dm(job, say(job, "dm.ready_here"), *notes)

    def dm_failed(self, job: Job) -> str:
        """Write the DM that reports a failure and its reason."""
        job = in_own_language(job)
        details = self._text.details(job, _NO_OUTLOOK)
        return self._write_dm(job, self._text.say(job, "dm.failed"), *details)

    def dm_cancelled(self, job: Job) -> str:
        """Write the DM that reports that a job was stopped."""
        job = in_own_language(job)
        details = self._text.details(job, _NO_OUTLOOK)
        return self._write_dm(job, self._text.say(job, "dm.cancelled"), *details)

    def dm_in_library(self, job: Job) -> str:
        """Write the DM about a finished video that Discord refused both on the card and in a DM."""
        job = in_own_language(job)
        return self._write_dm(job, self._text.say(job, "dm.in_library"), *self._notes(job, None))

    def dm_undecided(self, job: Job) -> str:
        """Write the DM that asks what to do about a job that the provider may have accepted."""
        job = in_own_language(job)
        details = self._text.details(job, _NO_OUTLOOK)
        return self._write_dm(job, self._text.say(job, "dm.undecided"), *details)

    def _write_dm(self, job: Job, sentence: str, *more: str) -> str:
        return "\n".join([sentence, self._text.prompt(job), *more, f"-# {dm_marker(job)}"])

    def _notes(self, job: Job, note: str | None) -> list[str]:
        return [self._text.say(job, key) for key in (job.note, note) if key]

    def _add_buttons(self, container: _Container, job: Job, actions: Iterable[Action]) -> None:
        # After a failure, the first button is the action that most requesters want next.
        failed = job.state is JobState.FAILED
        buttons = [
            make_button(
                action,
                job.id,
                self._label(job, action),
                highlighted=failed and number == 0 and action is not Action.DELETE,
            )
            for number, action in enumerate(actions)
        ]
        if buttons:
            container.add_item(ui.ActionRow(*buttons))

    def _label(self, job: Job, action: Action) -> str:
        if action is Action.AGAIN and job.state is JobState.FAILED:
            return self._text.say(job, "button.try_again")
        return self._text.say(job, LABELS[action])


def dm_marker(job: Job) -> str:
    """Return the marker of a job's DM: a text that no other DM contains.

    Each question about an undecided job has its own marker. Otherwise, the bot would take an
    earlier question for the DM with the video.
    """
    if job.state is JobState.UNDECIDED:
        return f"clapper {job.submits}? {job.id[:12]}"
    return f"clapper {job.id[:12]}"


def plays_inline(artifact: Artifact, url: str) -> bool:
    """Tell whether Discord can play the linked video on a card."""
    return urlsplit(url).scheme == "https" and artifact.size < _INLINE_BYTES


def _make_view(
    lines: list[str], state: JobState = JobState.SUCCEEDED
) -> tuple[ui.LayoutView, _Container]:
    view = ui.LayoutView(timeout=None)
    container = _Container(
        ui.TextDisplay("\n".join(lines)), accent_colour=_COLOURS.get(state, _OPEN)
    )
    view.add_item(container)
    view.stop()
    return view, container


def _gallery(job: Job, url: str) -> ui.MediaGallery[ui.LayoutView]:
    gallery = ui.MediaGallery[ui.LayoutView]()
    description = cut(job.request.prompt, _DESCRIPTION_CHARACTERS)
    gallery.add_item(media=url, description=description, spoiler=job.origin.is_spoiler)
    return gallery


def _link(label: str, url: str) -> ui.ActionRow[ui.LayoutView]:
    return ui.ActionRow(ui.Button[ui.LayoutView](label=label, url=url))
