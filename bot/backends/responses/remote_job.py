"""Remote jobs, read from the JSON of any Videos API server; unusable fields become None."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from bot.backends.base import RemoteState
from bot.backends.echo import Echo, size_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.model import VideoRequest

_MAX_REF = 512
_MAX_ENTRIES = 5000  # servers may ignore the requested limit
_MILLISECONDS = 1e11  # as seconds, this would be the year 5138

_STATES: Mapping[str, RemoteState] = {
    **dict.fromkeys(("queued", "pending", "starting", "submitted", "unknown"), RemoteState.QUEUED),
    **dict.fromkeys(("in_progress", "processing", "running", "throttled"), RemoteState.RUNNING),
    **dict.fromkeys(("completed", "succeeded", "succeed", "done"), RemoteState.DONE),
    **dict.fromkeys(("failed", "error", "incomplete", "expired", "deleted"), RemoteState.FAILED),
    **dict.fromkeys(("cancelled", "canceled"), RemoteState.FAILED),
    **dict.fromkeys(("budget_exceeded", "requires_action"), RemoteState.FAILED),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteJob:
    """A job as a server describes it; a field that the server leaves out is None.

    `status` is the server's word in lower case, and `state` is None if that word is unknown.
    `error` is the raw value. Times are Unix seconds of the server's clock; `answered_at` is that of
    its answer. `progress` is 0 to 100, `cost` is in US dollars.
    """

    ref: str | None
    status: str
    state: RemoteState | None
    progress: int | None
    error: object
    cost: float | None
    result_url: str | None
    created_at: float | None
    expires_at: float | None
    prompt: str | None
    model: str | None
    seconds: float | None
    size: tuple[int, int] | None
    answered_at: float | None = None

    @property
    def echo(self) -> Echo:
        """The echo of the order."""
        return Echo(
            prompt=self.prompt,
            seconds=self.seconds,
            size=self.size,
            created_at=self.created_at,
            answered_at=self.answered_at,
        )

    def contradicts(self, request: VideoRequest) -> bool:
        """Return whether the echoed fields show that this job belongs to another request.

        The model is compared only if no prompt is echoed, because gateways answer with the name
        of the model behind their alias.
        """
        return self.echo.contradicts(request) or (
            self.prompt is None and _contradicting_models(self.model, request.model)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingPage:
    """One page of a listing; `has_more` is None if the server does not say.

    `unreadable` is the number of entries that could not be read or exceeded the limit.
    """

    jobs: tuple[RemoteJob, ...]
    unreadable: int
    has_more: bool | None
    last: str | None


def parse(body: bytes) -> object:
    """Parse JSON; None: it is not JSON."""
    try:
        return cast("object", json.loads(body))
    except (ValueError, RecursionError):
        return None


def job_in(value: object) -> RemoteJob | None:
    """Read the job in an answer, as its body or in its field `data`; None: there is none."""
    fields = _mapping(value)
    if fields is None:
        return None
    if "status" not in fields and "id" not in fields:
        fields = _mapping(fields.get("data")) or fields
    job = _job(fields)
    return job if job.ref or job.status or job.result_url else None


def page_in(value: object) -> ListingPage | None:
    """Read a page of jobs; None: the answer is not a listing."""
    fields = _mapping(value)
    entries = _sequence(fields.get("data")) if fields else None
    if fields is None or entries is None:
        return None
    jobs = tuple(job for job in map(job_in, entries[:_MAX_ENTRIES]) if job and job.ref)
    has_more = fields.get("has_more")
    return ListingPage(
        jobs=jobs,
        unreadable=len(entries) - len(jobs),
        has_more=has_more if isinstance(has_more, bool) else None,
        last=ref_in(fields.get("last_id")) or (jobs[-1].ref if jobs else None),
    )


def is_deleted(value: object) -> bool:
    """Return whether the answer to a deletion confirms it."""
    fields = _mapping(value)
    return fields is not None and fields.get("deleted") is True


def ref_in(value: object) -> str | None:
    """Read an id; None: it is missing, or can't be used in a URL's path."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    ref = str(value)
    # "." and ".." would change the path, even when they are percent-encoded.
    return ref if 0 < len(ref) <= _MAX_REF and ref.strip(".") and ref.isprintable() else None


def event_in(body: bytes) -> tuple[str, str | None] | None:
    """Read the type of a webhook and the ref in its data; None: it is not an event."""
    fields = _mapping(parse(body))
    kind = fields.get("type") if fields else None
    if fields is None or not isinstance(kind, str):
        return None
    data = _mapping(fields.get("data")) or {}
    return kind, ref_in(data.get("id"))


def find_link(value: object) -> str | None:
    """Find the http(s) URL of a result: `url`, `urls[0]`, or `data[0].url`."""
    fields = _mapping(value)
    if fields is None:
        return None
    entries = _sequence(fields.get("data")) or [fields.get("data")]
    several = _sequence(fields.get("urls")) or [None]
    urls = (fields.get("url"), several[0], (_mapping(entries[0]) or {}).get("url"))
    return next((url for url in urls if isinstance(url, str) and _is_web(url)), None)


def _job(fields: Mapping[str, object]) -> RemoteJob:
    link = find_link(fields)
    status = _status(fields.get("status"))
    state = _STATES.get(status)
    if not status and link:
        state = RemoteState.DONE
    elif not status and fields.get("error"):
        state = RemoteState.FAILED
    return RemoteJob(
        ref=ref_in(fields.get("id")),
        status=status,
        state=state,
        progress=_percent(fields.get("progress")),
        error=fields.get("error"),
        cost=_cost(fields.get("usage")),
        result_url=link,
        created_at=_time(fields.get("created_at", fields.get("created"))),
        expires_at=_time(fields.get("expires_at")),
        prompt=_text(fields.get("prompt")),
        model=_text(fields.get("model")),
        seconds=_number(fields.get("seconds")),
        size=size_in(fields.get("size")),
    )


def _mapping(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def _sequence(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _status(value: object) -> str:
    return (_text(value) or "").lower().replace("-", "_").replace(" ", "_")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _percent(value: object) -> int | None:
    text = value.strip() if isinstance(value, str) else value
    percent = isinstance(text, str) and text.endswith("%")
    number = _number(text.rstrip("% ") if isinstance(text, str) else text)
    if number is None:
        return None
    # 1 is read as 1 %: otherwise a server that counts from 0 to 100 would start with a full bar.
    fraction = 0 < number < 1 and not percent
    return round(min(max(number * 100 if fraction else number, 0), 100))


def _cost(usage: object) -> float | None:
    fields = _mapping(usage)
    dollars = _number(fields.get("cost")) if fields else None
    return dollars if dollars is not None and dollars >= 0 else None


def _time(value: object) -> float | None:
    number = _number(value)
    if number is None and isinstance(value, str):
        number = _calendar_time(value)
    if number is None or number <= 0:
        return None
    return number / 1000 if number > _MILLISECONDS else number


def _calendar_time(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _contradicting_models(echoed: str | None, asked: str | None) -> bool:
    if echoed is None or asked is None:
        return False
    # "openai/sora-2" and "sora-2-2025-12-08" are both the "sora-2" that was asked for.
    ours, theirs = (name.lower().rpartition("/")[2] for name in (asked, echoed))
    return not (ours.startswith(theirs) or theirs.startswith(ours))
