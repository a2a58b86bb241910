"""Builds the responses to `/videos`: pages of a person's jobs, and videos that are sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.delivery.views.button_ids import LABELS, make_button
from bot.delivery.views.card_buttons import buttons_for
from bot.delivery.views.card_text import failure_reason
from bot.delivery.views.formatting import cut, megabytes, quoted
from bot.library.index import PAGE_SIZE
from bot.model import CANCELLABLE, JobState

if TYPE_CHECKING:
    from bot.artifacts import Artifact
    from bot.library.index import LibraryEntry, LibraryPage
    from bot.model import Job
    from bot.texts import Texts

# The maximum length of a search text. The ids of the page buttons contain the search text, and
# Discord limits an id to 100 characters.
MAX_SEARCH = 60
PAGE_TEMPLATE = rf"clapper:page:(?P<offset>[0-9]{{1,9}}):(?P<search>.{{0,{MAX_SEARCH}}})"
SEND_TEMPLATE = r"clapper:send:(?P<job>[0-9a-f]{32})"

_PROMPT_CHARACTERS = 140
_CHOICE_CHARACTERS = 100
_COLOUR = discord.Colour.from_rgb(88, 101, 242)
_DONE = frozenset({JobState.NOTIFYING, JobState.SUCCEEDED})
_CHOOSABLE = CANCELLABLE | {JobState.UNDECIDED}


class LibraryView:
    """Renders the list of a person's jobs, in their language.

    The views are stopped, because discord.py would keep active views in memory.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def render(self, page: LibraryPage, locale: str) -> ui.LayoutView:
        """Render one page of the list of jobs."""
        view, container = make_view(self._heading(page, locale))
        for entry in page.entries:
            container.add_item(ui.Separator[ui.LayoutView]())
            container.add_item(ui.TextDisplay(self._entry(entry, locale)))
            if buttons := self._buttons(entry, locale):
                container.add_item(ui.ActionRow(*buttons))
        if page.total > PAGE_SIZE:
            container.add_item(ui.Separator[ui.LayoutView]())
            container.add_item(ui.ActionRow(*self._page_buttons(page, locale)))
        return view

    def render_video(
        self,
        job: Job,
        locale: str,
        *,
        filename: str,
        note: str | None = None,
        original: str | None = None,
    ) -> ui.LayoutView:
        """Render a video that is sent again. The same edit uploads the video as `filename`.

        `note`: the locale key of an additional sentence.
        `original`: the URL of the original video, if the uploaded file is a smaller copy.
        """
        view, container = make_view(self._caption(job, locale, note))
        gallery = ui.MediaGallery[ui.LayoutView]()
        gallery.add_item(media=f"attachment://{filename}")
        container.add_item(gallery)
        if original:
            label = self._texts("button.original", locale)
            container.add_item(ui.ActionRow(ui.Button[ui.LayoutView](label=label, url=original)))
        return view

    def render_link(self, job: Job, locale: str, *, artifact: Artifact, url: str) -> ui.LayoutView:
        """Render a video that is sent again as a link."""
        view, container = make_view(self._caption(job, locale))
        label = self._texts("button.watch", locale, size=megabytes(artifact.size))
        container.add_item(ui.ActionRow(ui.Button[ui.LayoutView](label=label, url=url)))
        return view

    def _caption(self, job: Job, locale: str, note: str | None = None) -> str:
        notes = [self._texts(key, locale) for key in (job.note, note) if key]
        return "\n".join([self._prompt(job, locale), *notes])

    def _heading(self, page: LibraryPage, locale: str) -> str:
        if not page.search:
            return self._texts("library.heading" if page.total else "library.empty", locale)
        if not page.entries:
            return self._texts("library.nothing", locale, search=quoted(page.search, MAX_SEARCH))
        return self._texts("library.found", locale)

    def _entry(self, entry: LibraryEntry, locale: str) -> str:
        job = entry.job
        heading = self._texts(
            "library.entry",
            locale,
            state=self._texts(state_key(job.state, late=job.late), locale),
            when=f"<t:{int(job.created_at)}:R>",
        )
        facts = [self._texts("library.length", locale, seconds=job.request.seconds)]
        if job.state in _DONE:
            facts.append(self._texts("library.kept" if entry.kept else "library.gone", locale))
        lines = [heading, self._prompt(job, locale)]
        if job.state is JobState.UNDECIDED:
            lines.append(self._texts("card.undecided", locale))
        if job.card_gone and job.failure is not None:
            # Perhaps no card and no DM has reported the failure.
            lines.append(failure_reason(self._texts, job.failure, locale))
        return "\n".join([*lines, f"-# {' · '.join(facts)}"])

    def _prompt(self, job: Job, locale: str) -> str:
        prompt = quoted(job.request.prompt, _PROMPT_CHARACTERS)
        return self._texts("card.prompt", locale, prompt=prompt)

    def _buttons(self, entry: LibraryEntry, locale: str) -> list[ui.Button[ui.LayoutView]]:
        buttons: list[ui.Button[ui.LayoutView]] = []
        if entry.job.origin.message_id is not None and not entry.job.card_gone:
            label = self._texts("button.jump", locale)
            buttons.append(ui.Button(label=label, url=jump_url(entry.job)))
        if entry.kept:
            label = self._texts("button.send", locale)
            buttons.append(ui.Button(label=label, custom_id=f"clapper:send:{entry.job.id}"))
        if entry.job.state in _CHOOSABLE:
            # The card may be deleted or no longer editable, so its buttons are offered here too.
            buttons += [
                make_button(action, entry.job.id, self._texts(LABELS[action], locale))
                for action in buttons_for(entry.job)
            ]
        return buttons

    def _page_buttons(self, page: LibraryPage, locale: str) -> list[ui.Button[ui.LayoutView]]:
        number = page.offset // PAGE_SIZE + 1
        pages = -(-page.total // PAGE_SIZE)
        position = self._texts("library.page", locale, page=number, pages=pages)
        return [
            self._page_button(page, "button.previous", -PAGE_SIZE, locale),
            ui.Button(label=position, custom_id="clapper:here", disabled=True),
            self._page_button(page, "button.next", PAGE_SIZE, locale),
        ]

    def _page_button(
        self, page: LibraryPage, key: str, step: int, locale: str
    ) -> ui.Button[ui.LayoutView]:
        offset = page.offset + step
        return ui.Button(
            label=self._texts(key, locale),
            custom_id=f"clapper:page:{max(0, offset)}:{page.search}",
            disabled=not 0 <= offset < page.total,
        )


def choice_name(prompt: str) -> str:
    """Return a prompt as one line, cut to the length that Discord allows for a choice's name."""
    return cut(prompt, _CHOICE_CHARACTERS)


def state_key(state: JobState, *, late: bool = False) -> str:
    """Return the locale key of the name of a state."""
    if state in _DONE:
        return "state.succeeded"
    return "state.late" if late and state is JobState.GENERATING else f"state.{state}"


def jump_url(job: Job) -> str:
    """Return the URL that opens a job's card in Discord."""
    origin = job.origin
    guild = origin.guild_id or "@me"
    return f"https://discord.com/channels/{guild}/{origin.channel_id}/{origin.message_id}"


def make_view(text: str) -> tuple[ui.LayoutView, ui.Container[ui.LayoutView]]:
    """Return a stopped view and the container in it. The container shows `text`."""
    view = ui.LayoutView(timeout=None)
    container = ui.Container[ui.LayoutView](ui.TextDisplay(text), accent_colour=_COLOUR)
    view.add_item(container)
    view.stop()
    return view, container
