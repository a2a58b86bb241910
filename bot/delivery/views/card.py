"""The card: how a job's one message reads in each state, in Components V2."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import discord
from discord import ui

from bot.delivery.views.button_ids import LABELS, Action, make_button
from bot.delivery.views.card_buttons import FINISHED, HELD, choices_for
from bot.delivery.views.card_text import CardText
from bot.delivery.views.formatting import cut, megabytes
from bot.model import JobState
from storage.jobs.queue_outlook import Outlook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.artifacts import Artifact
    from bot.model import Job
    from bot.texts import Texts

_DESCRIPTION_CHARACTERS = 200
# Discord plays what it can fetch in time, over TLS.
_INLINE_BYTES = 50 * 1024 * 1024
_COLOURS = {
    JobState.SUCCEEDED: discord.Colour.from_rgb(46, 160, 67),
    JobState.FAILED: discord.Colour.from_rgb(207, 34, 46),
    JobState.CANCELLED: discord.Colour.from_rgb(110, 118, 129),
    JobState.UNDECIDED: discord.Colour.from_rgb(191, 135, 0),
}
_UNDER_WAY = discord.Colour.from_rgb(88, 101, 242)
_NO_OUTLOOK = Outlook()

_Container = ui.Container[ui.LayoutView]


class CardRenderer:
    """Renders jobs; a view comes out stopped, so that nothing of it stays in memory.

    What `free_backends` make is never charged; what is spoken may be, where the `voice_costs`.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        free_backends: frozenset[str],
        clock: Callable[[], float],
        voice_costs: bool = False,
    ) -> None:
        self._words = CardText(
            texts, free_backends=free_backends, voice_costs=voice_costs, clock=clock
        )

    def render(
        self,
        job: Job,
        outlook: Outlook = _NO_OUTLOOK,
        *,
        stage: str | None = None,
        note: str | None = None,
    ) -> ui.LayoutView:
        """Show how an open, failed or cancelled job stands.

        `stage` names a sentence that says more of the step than the state does, and `note` one
        that the person has to know.
        """
        words = self._words
        heading = words.say(job, stage) if stage else words.stage(job, outlook)
        lines = [words.say(job, "card.heading", state=heading), words.prompt(job)]
        lines += words.details(job, outlook)
        lines += [words.say(job, note)] if note else []
        view, container = _begin([*lines, words.small_print(job)], job.state)
        self._offer(container, job, choices_for(job))
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
        """Show the finished video, uploaded with the same edit under `filename`.

        `ready_at` is when it was ready, in Unix seconds; None: just now.
        `note` names a sentence about this upload, and `original` is the URL of what it was made
        from, if it is not that itself.
        """
        view, container = _begin([self._words.prompt(job), *self._notes(job, note)])
        container.add_item(_gallery(job, f"attachment://{filename}"))
        container.add_item(ui.TextDisplay(self._words.made(job, ready_at)))
        if original is not None:
            container.add_item(_link(self._words.say(job, "button.original"), original))
        self._offer(container, job, FINISHED)
        return view

    def render_link(
        self, job: Job, artifact: Artifact, *, url: str, inline: bool = False
    ) -> ui.LayoutView:
        """Show the finished video as a link.

        `inline` plays it on the card as well, where Discord could: it may still refuse to.
        """
        words = self._words
        view, container = _begin([words.say(job, "card.ready"), words.prompt(job)])
        for line in self._notes(job, None):
            container.add_item(ui.TextDisplay(line))
        if inline and plays_inline(artifact, url):
            container.add_item(_gallery(job, url))
        container.add_item(ui.TextDisplay(words.made(job, artifact.created_at)))
        label = words.say(job, "button.watch", size=megabytes(artifact.size))
        container.add_item(_link(label, url))
        self._offer(container, job, FINISHED)
        return view

    def render_held(self, job: Job, artifact: Artifact, *, limit: int) -> ui.LayoutView:
        """Say that the video waits for the operator; `limit` is what Discord takes, in bytes."""
        words = self._words
        held = words.say(
            job,
            "card.held",
            size=megabytes(artifact.size),
            limit=megabytes(limit),
        )
        heading = words.say(job, "card.held_heading")
        lines = [heading, words.prompt(job), held, words.small_print(job)]
        view, container = _begin(lines, job.state)
        self._offer(container, job, HELD)
        return view

    def dm(self, job: Job, *, link: str) -> str:
        """Write the DM that points to the finished video, on its card or elsewhere."""
        more = self._notes(job, None) if job.card_gone else []
        return self._write(job, self._words.say(job, "dm.ready", link=link), *more)

    def dm_here(self, job: Job, *, note: str | None = None, original: str | None = None) -> str:
        """Write the DM that carries the video itself; `note` and `original` as on the card."""
        say = self._words.say
        more = self._notes(job, note)
        more += [say(job, "dm.original", link=original)] if original else []
        return self._write(job, say(job, "dm.ready_here"), *more)

    def dm_failed(self, job: Job) -> str:
        """Write the DM that says why there is no video."""
        details = self._words.details(job, _NO_OUTLOOK)
        return self._write(job, self._words.say(job, "dm.failed"), *details)

    def dm_undecided(self, job: Job) -> str:
        """Write the DM that asks what the card can't."""
        details = self._words.details(job, _NO_OUTLOOK)
        return self._write(job, self._words.say(job, "dm.undecided"), *details)

    def _write(self, job: Job, sentence: str, *more: str) -> str:
        return "\n".join([sentence, self._words.prompt(job), *more, f"-# {dm_marker(job)}"])

    def _notes(self, job: Job, note: str | None) -> list[str]:
        return [self._words.say(job, key) for key in (job.note, note) if key]

    def _offer(self, container: _Container, job: Job, actions: Iterable[Action]) -> None:
        failed = job.state is JobState.FAILED
        buttons = [
            make_button(
                action,
                job.id,
                self._label(job, action),
                advised=failed and number == 0 and action is not Action.DELETE,
            )
            for number, action in enumerate(actions)
        ]
        if buttons:
            container.add_item(ui.ActionRow(*buttons))

    def _label(self, job: Job, action: Action) -> str:
        if action is Action.AGAIN and job.state is JobState.FAILED:
            return self._words.say(job, "button.try_again")
        return self._words.say(job, LABELS[action])


def dm_marker(job: Job) -> str:
    """Return what stands in the DM of this job and in no other.

    A question is another one, each time that it comes up: it must not stand for the video's.
    """
    if job.state is JobState.UNDECIDED:
        return f"clapper {job.submits}? {job.id[:12]}"
    return f"clapper {job.id[:12]}"


def plays_inline(artifact: Artifact, url: str) -> bool:
    """Tell whether Discord might play a link's video on a card."""
    return urlsplit(url).scheme == "https" and artifact.size < _INLINE_BYTES


def _begin(
    lines: list[str], state: JobState = JobState.SUCCEEDED
) -> tuple[ui.LayoutView, _Container]:
    view = ui.LayoutView(timeout=None)
    container = _Container(
        ui.TextDisplay("\n".join(lines)), accent_colour=_COLOURS.get(state, _UNDER_WAY)
    )
    view.add_item(container)
    view.stop()
    return view, container


def _gallery(job: Job, url: str) -> ui.MediaGallery[ui.LayoutView]:
    gallery = ui.MediaGallery[ui.LayoutView]()
    gallery.add_item(media=url, description=cut(job.request.prompt, _DESCRIPTION_CHARACTERS))
    return gallery


def _link(label: str, url: str) -> ui.ActionRow[ui.LayoutView]:
    return ui.ActionRow(ui.Button[ui.LayoutView](label=label, url=url))
