"""Describes jobs as text for the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.delivery.views.formatting import cut
from bot.model import JobState

if TYPE_CHECKING:
    from bot.model import Job
    from bot.texts import Texts

_ID_CHARACTERS = 12  # as long as the ids on cards
_PROMPT_CHARACTERS = 50
_MINUTE, _HOUR, _DAY = 60, 60 * 60, 24 * 60 * 60


def table_line(job: Job, *, now: float) -> str:
    """Return the line about a job for the list of jobs."""
    age = _age(max(0.0, now - job.created_at))
    prompt = cut(printable(job.request.prompt), _PROMPT_CHARACTERS)
    return f"{job.id[:_ID_CHARACTERS]}  {_state(job):17} {age:>6}  {_requester(job):24}  {prompt}"


def describe(job: Job, texts: Texts) -> str:
    """Return all facts about a job, one per line."""
    request = job.request
    facts = {
        "job": job.id,
        "state": _state(job),
        "ordered": _time(job.created_at),
        "changed": _time(job.updated_at),
        "next step": _time(job.next_at),
        "requester": _requester(job),
        "prompt": request.prompt,
        "sent as": job.sent_prompt if job.sent_prompt != request.prompt else None,
        "service": f"{job.backend}, {request.model or 'default model'}",
        "length, size": f"{request.seconds} s, {request.size}",
        "narration": _narration(job),
        "sent": f"{_time(job.submitted_at)}, creates: {job.submits}" if job.submits else None,
        "service's id": job.remote_id,
        "cost": f"{job.cost:g} US dollars" if job.cost is not None else None,
        "failed": texts.explain(job.failure.key, "en", job.failure.fields) if job.failure else None,
        "note": texts(job.note) if job.note else None,
    }
    return "".join(f"{name:13} {printable(fact)}\n" for name, fact in facts.items() if fact)


def printable(text: str) -> str:
    """Replace the control characters in a text. They could change what the terminal shows."""
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "\ufffd"
        for character in text
    )


def _state(job: Job) -> str:
    if job.state is not JobState.GENERATING:
        return job.state
    percent = "" if job.progress is None else f" {job.progress}%"
    return f"{job.state}{percent}{', late' if job.late else ''}"


def _requester(job: Job) -> str:
    return f"client {job.client.name}" if job.client else f"Discord {job.origin.user_id}"


def _narration(job: Job) -> str | None:
    if job.attachment is None:
        return None
    kind = job.attachment.filename if job.attachment.text is None else f"{job.attachment.text!r}"
    return f"{kind}, for the video of {job.clip_of}" if job.clip_of else kind


def _time(at: float | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _age(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
