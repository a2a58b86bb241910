"""What a card says of a job, line by line, in the language of its person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.artifacts import NOTE_NOT_MERGED
from bot.delivery.views.formatting import clock_time, progress_bar, quoted, rough_time
from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Failure, Job, Outlook
    from bot.texts import Texts

_PROMPT_CHARACTERS = 300
_NO_BREAK = "\u00a0"
# A clear no of whoever speaks, and what comes before they are asked.
_NOT_SPOKEN = frozenset(
    {"speech.moderated", "speech.refused", "speech.unavailable", "speech.off", "failed.clip_gone"}
)
_IN_DOUBT = "speech.unsure"
_WAITING = frozenset({JobState.RECEIVED, JobState.QUEUED, JobState.SUBMITTING})


class CardText:
    """Puts a job into words; what `free_backends` make is never charged.

    `voice_costs`: whoever speaks texts may charge for them.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        free_backends: frozenset[str],
        voice_costs: bool,
        clock: Callable[[], float],
    ) -> None:
        self._texts = texts
        self._free_backends = free_backends
        self._voice_costs = voice_costs
        self._clock = clock

    def say(self, job: Job, key: str, **fields: object) -> str:
        """Return a sentence in the language of a job's person."""
        return self._texts(key, job.origin.locale, **fields)

    def stage(self, job: Job, outlook: Outlook) -> str:
        """Name the step that is due."""
        if job.state is JobState.QUEUED and outlook.trouble is not None:
            return self.say(job, "state.held_up")
        if job.state is JobState.GENERATING and job.late:
            return self.say(job, "state.late")
        if job.state is JobState.MERGING and _is_narrated(job):
            return self.say(job, "state.merging_narration")
        return self.say(job, f"state.{job.state}")

    def prompt(self, job: Job) -> str:
        """Quote the prompt."""
        return self.say(job, "card.prompt", prompt=quoted(job.request.prompt, _PROMPT_CHARACTERS))

    def details(self, job: Job, outlook: Outlook) -> list[str]:
        """Say how far it is, or how it ended and what that cost."""
        match job.state:
            case JobState.GENERATING:
                usual = [] if job.late else self._usual(job, outlook)
                return [self._progress(job), *usual]
            case JobState.UNDECIDED:
                return [self.say(job, "card.undecided")]
            case JobState.FAILED if job.failure is not None:
                reason = why(self._texts, job.failure, job.origin.locale)
                charged = job.remote_id is not None and self._costs(job)
                return [reason, *self._bill(job, "card.charged" if charged else None)]
            case JobState.CANCELLED:
                charged = job.submitted_at is not None and self._costs(job)
                return self._bill(job, "card.cancelled_charged" if charged else None)
            case state if state in _WAITING:
                return self._waiting(job, outlook)
            case _:
                return []

    def small_print(self, job: Job) -> str:
        """Say for whom it is, and what is being made."""
        parts = [self._person(job)]
        if job.clip_of is not None:
            parts.append(self.say(job, "card.narration_only"))
        else:
            parts += [job.backend, self.say(job, "card.length", seconds=job.request.seconds)]
            parts.append(job.request.size.replace("x", "×"))  # noqa: RUF001 - the sign that is meant
            if _is_narrated(job):
                parts.append(self.say(job, "card.narration"))
        if job.state is JobState.FAILED:
            parts.append(job.id[:12])  # what the operator needs to find it in the log
        return _small(parts)

    def made(self, job: Job, ready_at: float | None) -> str:
        """Say for whom it was made, by what, and how long that took until it was ready."""
        parts = [self._person(job)]
        if job.clip_of is not None:
            parts.append(self.say(job, "card.narration_only"))
        else:
            parts.append(job.backend)
            if _is_narrated(job) and job.note != NOTE_NOT_MERGED:
                parts.append(self.say(job, "card.narration"))
        duration = clock_time((ready_at or self._clock()) - job.created_at)
        return _small([*parts, self.say(job, "card.made", duration=duration)])

    def _person(self, job: Job) -> str:
        return self.say(job, "card.person", person=f"<@{job.origin.user_id}>")

    def _progress(self, job: Job) -> str:
        if job.progress is not None:
            bar = progress_bar(job.progress)
            return self.say(job, "card.percent", bar=bar, percent=job.progress)
        since = f"<t:{int(job.generating_at or job.created_at)}:R>"
        return self.say(job, "card.elapsed", since=since)

    def _waiting(self, job: Job, outlook: Outlook) -> list[str]:
        if outlook.trouble is None:
            return [*self._place(job, outlook), *self._usual(job, outlook)]
        reason = self.say(job, f"trouble.{outlook.trouble}")
        told = [self.say(job, "card.operator_knows")] if outlook.operator_knows else []
        return [reason, *told, self.say(job, "card.held_up_ends")]

    def _place(self, job: Job, outlook: Outlook) -> list[str]:
        if outlook.place is None:
            return []
        if outlook.place == 1:
            return [self.say(job, "card.next")]
        return [self.say(job, "card.place", place=outlook.place)]

    def _usual(self, job: Job, outlook: Outlook) -> list[str]:
        if outlook.usual_seconds is None:
            return []
        key, count = rough_time(outlook.usual_seconds)
        return [self.say(job, "card.usual", duration=self.say(job, key, count=count))]

    def _bill(self, job: Job, of_the_video: str | None) -> list[str]:
        """Say what may have been charged."""
        if job.failure is not None and job.failure.key == _IN_DOUBT:
            return []  # the reason says it
        of_the_voice = "card.voice_charged" if self._was_spoken(job) else None
        return [self.say(job, of_the_video or of_the_voice or "card.free")]

    def _was_spoken(self, job: Job) -> bool:
        has_text = job.attachment is not None and job.attachment.text is not None
        refused = job.failure is not None and job.failure.key in _NOT_SPOKEN
        return self._voice_costs and has_text and job.narration_of is None and not refused

    def _costs(self, job: Job) -> bool:
        return job.clip_of is None and job.backend not in self._free_backends


def why(texts: Texts, failure: Failure, locale: str) -> str:
    """Say why a job ended badly, in a language."""
    return texts.explain(failure.key, locale, failure.fields)


def _is_narrated(job: Job) -> bool:
    return job.attachment is not None or job.narration_of is not None


def _small(parts: list[str]) -> str:
    # A narrow card breaks the line between two parts, and not within one.
    return f"-# {' · '.join(part.replace(' ', _NO_BREAK) for part in parts)}"
