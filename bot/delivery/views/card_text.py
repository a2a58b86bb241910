"""Writes the lines of a card, in the requester's language."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.artifacts import NOTE_NOT_MERGED
from bot.delivery.views.formatting import (
    EXACT_PLACES,
    clock_time,
    progress_bar,
    quoted,
    rough_time,
    rounded_place,
)
from bot.delivery.views.made_with import made_with
from bot.jobs.costs.amounts import dollars
from bot.model import HoldReason, JobState
from bot.texts import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.delivery.views.service_name import ServiceName
    from bot.model import Failure, Job
    from bot.texts import Texts
    from storage.access.pause import Pause
    from storage.jobs.queue_outlook import Outlook

_PROMPT_CHARACTERS = 300
_NO_BREAK = "\u00a0"
# After these failures, nothing was charged for the voice: the voice service refused the text, or
# was never asked.
_NOT_SPOKEN = frozenset(
    {"speech.moderated", "speech.refused", "speech.unavailable", "speech.off", "failed.clip_gone"}
)
_MAYBE_SPOKEN = "speech.unsure"
_NOT_SUBMITTED = frozenset({JobState.RECEIVED, JobState.QUEUED})
_WAITING = _NOT_SUBMITTED | {JobState.SUBMITTING}


_NAMED_CHARACTERS = 12
_STOPPED = frozenset({JobState.FAILED, JobState.CANCELLED})
# In these states, the clip is available and its price is settled.
_AFTER_CLIP = frozenset(
    {JobState.DOWNLOADING, JobState.MERGING, JobState.DELIVERING}
    | {JobState.NOTIFYING, JobState.SUCCEEDED}
)


class Coverage(Protocol):
    """Tells which characters a backend that draws text can't draw."""

    def missing(self, prompt: str) -> tuple[str, ...]:
        """Return a prompt's characters that the backend is unable to draw, each of them once."""
        ...


class CardText:
    """Writes the lines of text that describe a job.

    `free_backends`: the backends that never charge.
    `voice_costs`: whether reading a text aloud may be charged.
    `coverage`: for each backend that draws text, the characters that it can't draw.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        free_backends: frozenset[str],
        voice_costs: bool,
        service_name: ServiceName,
        clock: Callable[[], float],
        coverage: Mapping[str, Coverage],
        shows_prices: bool = False,
    ) -> None:
        self._texts = texts
        self._service_name = service_name
        self._free_backends = free_backends
        self._voice_costs = voice_costs
        self._clock = clock
        self._coverage = coverage
        self._shows_prices = shows_prices

    def say(self, job: Job, key: str, **fields: object) -> str:
        """Return a sentence in the language of the job's requester."""
        return self._texts(key, _locale_of(job), **fields)

    def stage(self, job: Job, outlook: Outlook) -> str:
        """Return the name of the job's current step."""
        if job.state is JobState.QUEUED and outlook.trouble is not None:
            return self.say(job, "state.held_up")
        if outlook.hold is not None:
            return self.say(job, "state.on_hold")
        if job.state is JobState.GENERATING and job.late:
            return self.say(job, "state.late")
        if job.state is JobState.MERGING and _is_narrated(job):
            return self.say(job, "state.merging_narration")
        return self.say(job, f"state.{job.state}")

    def prompt(self, job: Job) -> str:
        """Quote the prompt."""
        return self.say(job, "card.prompt", prompt=quoted(job.request.prompt, _PROMPT_CHARACTERS))

    def details(self, job: Job, outlook: Outlook) -> list[str]:
        """Return the lines about an open job's progress, or about an ended job's result and cost.

        A job on hold has its own lines.
        """
        if outlook.hold is not None:
            return self._on_hold(job, outlook, outlook.hold)
        return [*self._details_of_state(job, outlook), *self._left_out(job)]

    def _left_out(self, job: Job) -> list[str]:
        """Name the prompt's characters that can't be drawn, in one line.

        The line is only shown until the job is submitted.
        """
        coverage = self._coverage.get(job.backend)
        if coverage is None or job.state not in _WAITING or job.clip_of is not None:
            return []
        missing = coverage.missing(job.request.prompt)
        if not missing:
            return []
        named = quoted(" ".join(missing[:_NAMED_CHARACTERS]), _PROMPT_CHARACTERS)
        more = " …" if len(missing) > _NAMED_CHARACTERS else ""
        return [self.say(job, "card.left_out", characters=named + more)]

    def _details_of_state(self, job: Job, outlook: Outlook) -> list[str]:
        match job.state:
            case JobState.GENERATING:
                usual = [] if job.late else self._usual(job, outlook)
                return [self._progress(job), *usual]
            case JobState.UNDECIDED:
                return [self.say(job, "card.undecided")]
            case JobState.FAILED if job.failure is not None:
                reason = failure_reason(self._texts, job.failure, _locale_of(job))
                charged = job.remote_id is not None and self._costs(job)
                return [reason, *self._charges(job, "card.charged" if charged else None)]
            case JobState.CANCELLED:
                charged = job.submitted_at is not None and self._costs(job)
                return self._charges(job, "card.cancelled_charged" if charged else None)
            case state if state in _WAITING:
                return self._waiting(job, outlook)
            case _:
                return []

    def footer(self, job: Job) -> str:
        """Return the last line of a card without a video: the requester and the requested video."""
        parts = [self._requester(job)]
        if job.clip_of is not None:
            parts.append(self.say(job, "card.narration_only"))
        else:
            parts += self._maker(job)
            parts.append(self.say(job, "card.length", seconds=job.request.seconds))
            parts.append(job.request.size.replace("x", "×"))  # noqa: RUF001 - the multiplication sign
            if _is_narrated(job):
                parts.append(self.say(job, "card.narration"))
        parts += self._price(job)
        if job.state is JobState.FAILED:
            parts.append(job.id[:12])  # with this id, the operator can find the job in the log
        return _small(parts)

    def finished_footer(self, job: Job, ready_at: float | None) -> str:
        """Return the last line of a card with a video: the requester and how the video was made."""
        parts = [self._requester(job)]
        if job.clip_of is not None:
            parts.append(self.say(job, "card.narration_only"))
        else:
            parts += self._maker(job)
            if _is_narrated(job) and job.note != NOTE_NOT_MERGED:
                parts.append(self.say(job, "card.narration"))
        parts += self._price(job)
        parts.append(self.say(job, f"made.{made_with(job)}"))
        duration = clock_time((ready_at or self._clock()) - job.created_at)
        return _small([*parts, self.say(job, "card.made", duration=duration)])

    def _price(self, job: Job) -> list[str]:
        # The card of a failed or cancelled job shows no price. It says instead whether anything may
        # have been charged.
        if not self._shows_prices or job.micros == 0 or job.state in _STOPPED:
            return []
        key = "card.price" if has_final_price(job) else "card.price_most"
        return [self.say(job, key, price=dollars(job.micros, rounding=math.ceil))]

    def _requester(self, job: Job) -> str:
        return self.say(job, "card.person", person=f"<@{job.origin.user_id}>")

    def _maker(self, job: Job) -> list[str]:
        name = self._service_name.of(job)
        return [name] if name else []

    def _progress(self, job: Job) -> str:
        if job.progress is not None:
            bar = progress_bar(job.progress)
            return self.say(job, "card.percent", bar=bar, percent=job.progress)
        since = f"<t:{int(job.generating_at or job.created_at)}:R>"
        return self.say(job, "card.elapsed", since=since)

    def _waiting(self, job: Job, outlook: Outlook) -> list[str]:
        if outlook.trouble is None:
            if job.is_refused_for_now:
                return [self.say(job, "card.not_yet")]
            if outlook.drain is not None:
                return [*self._place(job, outlook), self._drained(job, outlook.drain)]
            return [*self._place(job, outlook), *self._usual(job, outlook)]
        reason = self.say(job, f"trouble.{outlook.trouble}")
        notice = [self.say(job, "card.operator_knows")] if outlook.operator_knows else []
        return [reason, *notice, self.say(job, "card.held_up_ends")]

    def _drained(self, job: Job, drain: Pause) -> str:
        if drain.until is None:
            return self.say(job, "card.drained", words=drain.words)
        return self.say(job, "card.drained_until", words=drain.words, when=Moment(drain.until))

    def _on_hold(self, job: Job, outlook: Outlook, hold: HoldReason) -> list[str]:
        notice = [self.say(job, "card.operator_knows")] if outlook.operator_knows else []
        if job.state in _NOT_SUBMITTED:
            end = "card.held_up_ends"
        elif hold is HoldReason.DISK and job.clip_of is None:
            end = "card.on_hold_continues"  # a video that was paid for is kept without a time limit
        else:
            end = "card.on_hold_ends"
        return [self.say(job, f"hold.{hold}"), *notice, self.say(job, end)]

    def _place(self, job: Job, outlook: Outlook) -> list[str]:
        if outlook.place is None:
            return []
        if outlook.place == 1:
            return [self.say(job, "card.next")]
        place = rounded_place(outlook.place)
        key = "card.place" if place <= EXACT_PLACES else "card.place_about"
        return [self.say(job, key, place=place)]

    def _usual(self, job: Job, outlook: Outlook) -> list[str]:
        if outlook.usual_seconds is None:
            return []
        key, count = rough_time(outlook.usual_seconds)
        return [self.say(job, "card.usual", duration=self.say(job, key, count=count))]

    def _charges(self, job: Job, video_key: str | None) -> list[str]:
        """Return the line that says what may have been charged."""
        if job.failure is not None and job.failure.key == _MAYBE_SPOKEN:
            return []  # the reason already says that the voice may have charged
        voice_key = "card.voice_charged" if self._was_spoken(job) else None
        return [self.say(job, video_key or voice_key or "card.free")]

    def _was_spoken(self, job: Job) -> bool:
        has_text = job.attachment is not None and job.attachment.text is not None
        refused = job.failure is not None and job.failure.key in _NOT_SPOKEN
        return self._voice_costs and has_text and job.narration_of is None and not refused

    def _costs(self, job: Job) -> bool:
        return job.clip_of is None and job.backend not in self._free_backends


def has_final_price(job: Job) -> bool:
    """Tell whether a job's price can't become lower any more."""
    return job.state in _AFTER_CLIP


def _locale_of(job: Job) -> str:
    return job.origin.card_language or job.origin.locale


def in_own_language(job: Job) -> Job:
    """Return a copy of a job without the language that its server has chosen for cards.

    A sentence that is rendered for the copy is in the requester's own language.
    """
    return replace(job, requester=replace(job.origin, card_language=None))


def failure_reason(texts: Texts, failure: Failure, locale: str) -> str:
    """Return the sentence that explains a failure, in the language of `locale`."""
    return texts.explain(failure.key, locale, failure.fields)


def _is_narrated(job: Job) -> bool:
    return job.attachment is not None or job.narration_of is not None


def _small(parts: list[str]) -> str:
    # On a narrow card, the line should break between two parts, not within a part.
    return f"-# {' · '.join(part.replace(' ', _NO_BREAK) for part in parts)}"
