"""Builds the response to the command "Video details"."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.artifacts import NOTE_HELD, VoiceUse
from bot.delivery.views.card_text import failure_reason, has_final_price
from bot.delivery.views.formatting import cut_block, megabytes, units
from bot.delivery.views.library_view import make_view, state_key
from bot.jobs.costs.amounts import dollars
from bot.model import JobState

if TYPE_CHECKING:
    from discord import ui

    from bot.delivery.views.service_name import ServiceName
    from bot.library.index import JobDetails
    from bot.model import Job
    from bot.texts import Texts

# Discord limits the text of a message to this many UTF-16 code units.
_MOST_UNITS = 4000
_PROMPT_UNITS = 2500
_LEAST_UNITS = 100
_ID_CHARACTERS = 100
_VOICES = {
    VoiceUse.SENT: "details.voice_sent",
    VoiceUse.WITHHELD: "details.voice_withheld",
    VoiceUse.UNSUPPORTED: "details.voice_unsupported",
    VoiceUse.REFUSED: "details.voice_refused",
    VoiceUse.NO_LINK: "details.voice_no_link",
    VoiceUse.TOO_LONG: "details.voice_too_long",
    VoiceUse.UNPREPARED: "details.voice_unprepared",
}
_FENCES = 10  # the characters of a code block's fences, and of the line breaks around them


class DetailsView:
    """Renders the details of a job in the viewer's language.

    Each rendered view is stopped, because discord.py would keep an active one in memory.
    """

    def __init__(
        self, texts: Texts, service_name: ServiceName, *, shows_prices: bool = False
    ) -> None:
        self._texts = texts
        self._shows_prices = shows_prices
        self._service_name = service_name

    def render(self, details: JobDetails, locale: str, *, in_full: bool) -> ui.LayoutView:
        """Render the details of a job.

        `in_full`: whether to show the details that only the requester and moderators may see.
        """
        head = [self._texts("details.title", locale), self._state(details, locale)]
        foot = [self._facts(details, locale), *self._length(details.job, locale)]
        foot += self._voice(details.job, locale)
        if in_full:
            foot += [*self._price(details.job, locale), self._file(details, locale)]
            foot.append(self._ids(details, locale))
            steps = self._steps(details, locale)
            room = _MOST_UNITS - units("\n".join([*head, *steps, *foot]))
            head += [*self._prompt(details.job, locale, room), *steps]
        return make_view("\n".join([*head, *foot]))[0]

    def _state(self, details: JobDetails, locale: str) -> str:
        job = details.job
        return self._texts(
            "details.state",
            locale,
            state=self._texts(state_key(job.state, late=job.late), locale),
            person=f"<@{job.origin.user_id}>",
            when=f"<t:{int(job.created_at)}:f>",
        )

    def _prompt(self, job: Job, locale: str, room: int) -> list[str]:
        """Return the requester's prompt and what was added to it, in at most `room` code units."""
        words, sent = job.request.prompt, job.sent_request.prompt
        shown = [_block(words, min(room, _PROMPT_UNITS))]
        if sent == words:
            return shown
        added = sent.startswith(words)
        shown.append(self._texts("details.added" if added else "details.sent", locale))
        room -= units("\n".join(shown)) + 1
        rest = sent.removeprefix(words).strip()
        return [*shown, _block(rest, room)] if room >= _LEAST_UNITS else shown[:1]

    def _steps(self, details: JobDetails, locale: str) -> list[str]:
        lines = [
            self._texts(
                "details.step",
                locale,
                when=f"<t:{int(step.at)}:T>",
                state=self._texts(state_key(step.state), locale),
            )
            for step in details.steps
            # In the step before SUCCEEDED, only a DM is sent, so the time of SUCCEEDED is left out.
            if step.state is not JobState.SUCCEEDED
        ]
        failure = details.job.failure
        return [*lines, failure_reason(self._texts, failure, locale)] if failure else lines

    def _facts(self, details: JobDetails, locale: str) -> str:
        job = details.job
        return self._texts(
            "details.facts",
            locale,
            service=" · ".join(self._service_name.in_full(job))
            or self._texts("details.any_model", locale),
            seconds=job.request.seconds,
            size=job.request.size.replace("x", "×"),  # noqa: RUF001 - the multiplication sign
        )

    def _length(self, job: Job, locale: str) -> list[str]:
        """Explain why the picture stands still at the end, if the longest clip was too short."""
        if job.note != NOTE_HELD or job.clip_of is not None:
            return []
        return [self._texts("details.longest", locale, seconds=job.request.seconds)]

    def _voice(self, job: Job, locale: str) -> list[str]:
        """Say whether the video service heard the narration and, if not, why."""
        key = _VOICES.get(job.voice.use) if job.voice.use else None
        return [self._texts(key, locale)] if key else []

    def _price(self, job: Job, locale: str) -> list[str]:
        if not self._shows_prices or job.micros == 0:
            return []
        key = "details.price" if has_final_price(job) else "details.price_most"
        return [self._texts(key, locale, price=dollars(job.micros, rounding=math.ceil))]

    def _file(self, details: JobDetails, locale: str) -> str:
        if details.artifact is None:
            return self._texts("details.no_file", locale)
        return self._texts("details.file", locale, size=megabytes(details.artifact.size))

    def _ids(self, details: JobDetails, locale: str) -> str:
        job = details.job
        if job.remote_id is None:
            return self._texts("details.id", locale, job=job.id)
        # A provider's ids may contain any character, and a backtick would end the inline code.
        remote = job.remote_id.replace("`", "'")[:_ID_CHARACTERS]
        return self._texts("details.ids", locale, job=job.id, remote=remote)


def _block(text: str, room: int) -> str:
    """Put a multi-line text in a code block of at most `room` UTF-16 code units."""
    # A fence within the text would end the code block.
    escaped = text.replace("``", "`\N{ZERO WIDTH SPACE}`")
    return f"```\n{cut_block(escaped, max(0, room - _FENCES))}\n```"
