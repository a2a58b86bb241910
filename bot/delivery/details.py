"""What the command "Video details" tells of a card's job: all of it, or what anybody may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.notation import megabytes
from bot.delivery.shelf import begin, state_key
from bot.model import JobState

if TYPE_CHECKING:
    from discord import ui

    from bot.library import Details
    from bot.model import Job
    from bot.texts import Texts

# Together with the steps it stays below the 4000 characters of a message.
_PROMPT_CHARACTERS = 2500
_LEAST_CHARACTERS = 100
_ID_CHARACTERS = 100


class DetailsPage:
    """Renders details in the language of the person who asks; views come out stopped."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def render(self, details: Details, locale: str, *, in_full: bool) -> ui.LayoutView:
        """Show them `in_full` to the person whose video it is, and to moderators."""
        lines = [self._texts("details.title", locale), self._state(details, locale)]
        if in_full:
            lines += [*self._prompt(details.job, locale), *self._course(details, locale)]
        lines.append(self._facts(details, locale))
        if in_full:
            lines += [self._file(details, locale), self._ids(details, locale)]
        return begin("\n".join(lines))[0]

    def _state(self, details: Details, locale: str) -> str:
        job = details.job
        return self._texts(
            "details.state",
            locale,
            state=self._texts(state_key(job.state, late=job.late), locale),
            person=f"<@{job.origin.user_id}>",
            when=f"<t:{int(job.created_at)}:f>",
        )

    def _prompt(self, job: Job, locale: str) -> list[str]:
        """Quote the person's words, and whatever else the video service got."""
        words, sent = job.request.prompt, job.sent_request.prompt
        shown = [_block(words, _PROMPT_CHARACTERS)]
        if sent == words:
            return shown
        if sent.startswith(words):
            title, rest = "details.added", sent.removeprefix(words).strip()
        else:
            title, rest = "details.sent", sent
        room = max(_LEAST_CHARACTERS, _PROMPT_CHARACTERS - len(shown[0]))
        return [*shown, self._texts(title, locale), _block(rest, room)]

    def _course(self, details: Details, locale: str) -> list[str]:
        lines = [
            self._texts(
                "details.step",
                locale,
                when=f"<t:{int(step.at)}:T>",
                state=self._texts(state_key(step.state), locale),
            )
            for step in details.steps
            # By then the person has it: all that is left is the DM.
            if step.state is not JobState.SUCCEEDED
        ]
        failure = details.job.failure
        return [*lines, self._texts(failure.key, locale, **failure.fields)] if failure else lines

    def _facts(self, details: Details, locale: str) -> str:
        job = details.job
        return self._texts(
            "details.facts",
            locale,
            backend=job.backend,
            model=job.request.model or self._texts("details.any_model", locale),
            seconds=job.request.seconds,
            size=job.request.size.replace("x", "×"),  # noqa: RUF001 - the sign that is meant
        )

    def _file(self, details: Details, locale: str) -> str:
        if details.artifact is None:
            return self._texts("details.no_file", locale)
        return self._texts("details.file", locale, size=megabytes(details.artifact.size))

    def _ids(self, details: Details, locale: str) -> str:
        job = details.job
        if job.remote_id is None:
            return self._texts("details.id", locale, job=job.id)
        # A provider may call its jobs anything.
        remote = job.remote_id.replace("`", "'")[:_ID_CHARACTERS]
        return self._texts("details.ids", locale, job=job.id, remote=remote)


def _block(prompt: str, characters: int) -> str:
    """Quote a prompt with all its lines, so that it can be copied and means nothing else."""
    harmless = prompt.replace("``", "`\N{ZERO WIDTH SPACE}`")
    if len(harmless) > characters:
        harmless = harmless[: characters - 1] + "…"
    return f"```\n{harmless}\n```"
