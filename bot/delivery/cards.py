"""The card: how a job's one message reads in each state, in Components V2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.delivery.buttons import Action, make_button
from bot.model import CANCELLABLE, JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Artifact, Job
    from bot.texts import Texts

_PROMPT_CHARACTERS = 300
_BAR_CELLS = 16
_COLOURS = {
    JobState.NOTIFYING: discord.Colour.from_rgb(46, 160, 67),
    JobState.SUCCEEDED: discord.Colour.from_rgb(46, 160, 67),
    JobState.FAILED: discord.Colour.from_rgb(207, 34, 46),
    JobState.CANCELLED: discord.Colour.from_rgb(110, 118, 129),
    JobState.UNDECIDED: discord.Colour.from_rgb(191, 135, 0),
}
_UNDER_WAY = discord.Colour.from_rgb(88, 101, 242)
_MIB = 1024 * 1024


class Cards:
    """Renders jobs; a view comes out stopped, so that nothing of it stays in memory.

    What `free_backends` make is never charged.
    """

    def __init__(
        self, texts: Texts, *, free_backends: frozenset[str], clock: Callable[[], float]
    ) -> None:
        self._texts = texts
        self._free_backends = free_backends
        self._clock = clock

    def render(self, job: Job) -> ui.LayoutView:
        """Show how an open, failed or cancelled job stands."""
        say = self._say(job)
        lines = [say("card.heading", state=say(self._state_key(job))), self._prompt(job)]
        lines += self._details(job)
        lines.append(self._small_print(job))
        view, container = _begin(job, lines)
        if buttons := self._buttons(job):
            container.add_item(ui.ActionRow(*buttons))
        return view

    def render_video(self, job: Job, *, filename: str) -> ui.LayoutView:
        """Show the finished video, uploaded with the same edit under `filename`."""
        view, container = _begin(job, self._done(job), colour=JobState.SUCCEEDED)
        gallery = ui.MediaGallery[ui.LayoutView]()
        gallery.add_item(
            media=f"attachment://{filename}", description=_cut(job.request.prompt, 200)
        )
        container.add_item(gallery)
        container.add_item(ui.TextDisplay(self._made_in(job)))
        return view

    def render_link(self, job: Job, artifact: Artifact, *, url: str) -> ui.LayoutView:
        """Show the finished video as a link."""
        lines = [*self._done(job), self._made_in(job)]
        view, container = _begin(job, lines, colour=JobState.SUCCEEDED)
        label = self._say(job)("button.watch", size=megabytes(artifact.size))
        container.add_item(ui.ActionRow(ui.Button[ui.LayoutView](label=label, url=url)))
        return view

    def render_held(self, job: Job, artifact: Artifact) -> ui.LayoutView:
        """Say that the video waits for the operator."""
        held = self._say(job)(
            "card.held",
            size=megabytes(artifact.size),
            limit=megabytes(job.origin.upload_limit),
        )
        return _begin(job, [self._prompt(job), held, self._small_print(job)])[0]

    def dm(self, job: Job, *, link: str) -> str:
        """Write the DM that points to the finished video."""
        return self._say(job)(
            "dm.ready", link=link, prompt=_quoted(job.request.prompt), marker=dm_marker(job)
        )

    def dm_here(self, job: Job) -> str:
        """Write the DM that carries the video itself."""
        return self._say(job)(
            "dm.ready_here", prompt=_quoted(job.request.prompt), marker=dm_marker(job)
        )

    def _say(self, job: Job) -> Callable[..., str]:
        def say(key: str, **fields: object) -> str:
            return self._texts(key, job.origin.locale, **fields)

        return say

    def _state_key(self, job: Job) -> str:
        if job.state is JobState.GENERATING and job.late:
            return "state.late"
        if job.state is JobState.MERGING and job.attachment is not None:
            return "state.merging_narration"
        return f"state.{job.state}"

    def _prompt(self, job: Job) -> str:
        return self._say(job)("card.prompt", prompt=_quoted(job.request.prompt))

    def _details(self, job: Job) -> list[str]:
        say = self._say(job)
        match job.state:
            case JobState.GENERATING if job.progress is not None:
                return [say("card.percent", bar=progress_bar(job.progress), percent=job.progress)]
            case JobState.GENERATING:
                since = f"<t:{int(job.generating_at or job.created_at)}:R>"
                return [say("card.elapsed", since=since)]
            case JobState.UNDECIDED:
                return [say("card.undecided")]
            case JobState.FAILED if job.failure is not None:
                charged = job.remote_id is not None and not self._is_free(job)
                cost = "card.charged" if charged else "card.free"
                return [say(job.failure.key, **job.failure.fields), say(cost)]
            case JobState.CANCELLED:
                charged = job.submitted_at is not None and not self._is_free(job)
                return [say("card.cancelled_charged" if charged else "card.free")]
            case _:
                return []

    def _is_free(self, job: Job) -> bool:
        return job.backend in self._free_backends

    def _small_print(self, job: Job) -> str:
        line = self._small_line(job)
        # What the operator needs to find it in the log.
        return f"{line} · {job.id[:12]}" if job.state is JobState.FAILED else line

    def _small_line(self, job: Job) -> str:
        return self._say(job)(
            "card.small_narrated" if job.attachment else "card.small",
            person=f"<@{job.origin.user_id}>",
            backend=job.backend,
            seconds=job.request.seconds,
            size=job.request.size.replace("x", "×"),  # noqa: RUF001 - the sign that is meant
        )

    def _done(self, job: Job) -> list[str]:
        note = [self._say(job)(job.note)] if job.note else []
        return [self._prompt(job), *note]

    def _made_in(self, job: Job) -> str:
        return self._say(job)(
            "card.done",
            person=f"<@{job.origin.user_id}>",
            backend=job.backend,
            duration=clock_time(self._clock() - job.created_at),
        )

    def _buttons(self, job: Job) -> list[ui.Button[ui.LayoutView]]:
        say = self._say(job)
        if job.state in CANCELLABLE:
            return [make_button(Action.CANCEL, job.id, say("button.cancel"))]
        if job.state is JobState.UNDECIDED:
            return [
                make_button(Action.RETRY, job.id, say("button.retry")),
                make_button(Action.GIVE_UP, job.id, say("button.give_up")),
            ]
        return []


def dm_marker(job: Job) -> str:
    """Return what stands in the DM of this job and in no other."""
    return f"clapper {job.id[:12]}"


def progress_bar(percent: int) -> str:
    """Draw 0 to 100 as a row of cells."""
    full = round(percent / 100 * _BAR_CELLS)
    return "█" * full + "░" * (_BAR_CELLS - full)


def clock_time(seconds: float) -> str:
    """Write a duration as minutes and seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02}"


def megabytes(size: int) -> str:
    """Write a number of bytes in MiB, as Discord counts its limits."""
    return f"{size / _MIB:.1f} MB"


def _begin(
    job: Job, lines: list[str], *, colour: JobState | None = None
) -> tuple[ui.LayoutView, ui.Container[ui.LayoutView]]:
    view = ui.LayoutView(timeout=None)
    container = ui.Container[ui.LayoutView](
        ui.TextDisplay("\n".join(lines)),
        accent_colour=_COLOURS.get(colour or job.state, _UNDER_WAY),
    )
    view.add_item(container)
    view.stop()
    return view, container


def _quoted(prompt: str) -> str:
    # One line, without markup or mentions: a prompt is a quotation.
    return discord.utils.escape_mentions(
        discord.utils.escape_markdown(_cut(prompt, _PROMPT_CHARACTERS))
    )


def _cut(text: str, characters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
