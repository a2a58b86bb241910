"""Reads remote jobs from the JSON of a provider. Unusable fields become None."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bot.backends.base import RemoteState
from bot.backends.echo import Echo
from bot.backends.responses import status_words
from bot.backends.responses.clip_links import find_link
from bot.backends.responses.field_values import (
    dollars_in,
    mapping_in,
    number_in,
    percent_in,
    sequence_in,
    size_in,
    status_in,
    text_in,
    time_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.model import VideoRequest

_MAX_REF = 512
_MAX_ENTRIES = 5000  # a server may ignore the requested limit
_COMPLETE = 100
_NOTHING = (None, "")
_NO_ERRORS = frozenset(
    ("", "0", "200", "ok", "success", "succeed", "succeeded", "none", "null", "no error")
)
_ENVELOPES = status_words.ENVELOPES


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteJob:
    """A job as a provider describes it. Values that the provider omits are None.

    `status`: the provider's status word in lower case.
    `state`: the state that the response reveals. `inferred`: whether the state was derived from
    fields other than the status word.
    `progress`: 0 to 100. `cost`: in US dollars. `error`: the unparsed value of the error field.

    `has_exact_length`: whether the provider makes each clip exactly as long as it was ordered.

    Times are in Unix seconds of the provider's clock. `answered_at` is the time of the response.
    """

    ref: str | None
    status: str
    state: RemoteState | None
    inferred: bool
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
    has_exact_length: bool = False

    @property
    def echo(self) -> Echo:
        """The parts of the order that the response repeats."""
        return Echo(
            prompt=self.prompt,
            seconds=self.seconds,
            size=self.size,
            created_at=self.created_at,
            answered_at=self.answered_at,
            has_exact_length=self.has_exact_length,
        )

    def contradicts(self, request: VideoRequest) -> bool:
        """Tell whether the response shows that this job belongs to another request.

        The model is only compared if the response doesn't repeat the prompt. Gateways respond with
        the name of the actual model instead of the alias that was requested.
        """
        return self.echo.contradicts(request) or (
            self.prompt is None and _contradicting_models(self.model, request.model)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingPage:
    """One page of a provider's list of jobs.

    `unreadable`: the number of entries that are malformed or exceed the limit.
    `has_more`: whether another page follows, or None if the provider does not say.
    """

    jobs: tuple[RemoteJob, ...]
    unreadable: int
    has_more: bool | None
    last: str | None


def parse(body: bytes) -> object:
    """Parse JSON, or return None if the body is not JSON."""
    try:
        return cast("object", json.loads(body))
    except (ValueError, RecursionError):
        return None


def job_in(value: object) -> RemoteJob | None:
    """Return the job in a response, or None if the response describes no job.

    The job may be the response itself, or be inside a field such as `data`.
    """
    fields = mapping_in(value)
    if fields is None:
        return None
    inner = next(filter(_is_job, _contents(fields)), None) or {}
    # The outer status may be that of the HTTP request, as in {"status": "success"}.
    job = _job(fields, inner) if _ref_of(fields) or not inner else _job(inner, fields)
    return job if job.ref or job.status or job.result_url else None


def _contents(fields: Mapping[str, object], depth: int = 2) -> Iterator[Mapping[str, object]]:
    """Yield the objects inside envelope fields such as `data`, and inside nested envelopes."""
    if depth == 0 or fields.get("object") == "list" or "has_more" in fields:
        return
    values = [fields.get(name) for name in _ENVELOPES]
    # Some gateways respond to a create request with a list that contains only the new job.
    lists = (sequence_in(each) for each in values)
    singles = (items[0] if items and len(items) == 1 else None for items in lists)
    found = (
        mapping_in(each) or mapping_in(single) for each, single in zip(values, singles, strict=True)
    )
    contents = [inner for inner in found if inner]
    yield from contents
    for inner in contents:
        yield from _contents(inner, depth - 1)


def page_in(value: object) -> ListingPage | None:
    """Return a page of jobs, or None if the response is not a list."""
    fields = mapping_in(value)
    entries = sequence_in(fields.get("data")) if fields else None
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
    """Tell whether a response confirms a deletion."""
    fields = mapping_in(value)
    return fields is not None and fields.get("deleted") is True


def ref_in(value: object) -> str | None:
    """Return an id, or None if it is missing or can't be used in the path of a URL."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    ref = str(value)
    # Even when they are percent-encoded, "." and ".." would change the path.
    return ref if 0 < len(ref) <= _MAX_REF and ref.strip(".") and ref.isprintable() else None


def event_in(body: bytes) -> tuple[str, str | None] | None:
    """Return the type of a webhook and the id of its job.

    Returns None if the body is not an event.
    """
    fields = mapping_in(parse(body))
    kind = fields.get("type") if fields else None
    if fields is None or not isinstance(kind, str):
        return None
    data = mapping_in(fields.get("data")) or {}
    return kind, _ref_of(data)


def _is_job(fields: Mapping[str, object] | None) -> bool:
    return fields is not None and bool(
        _ref_of(fields) or text_in(_first(status_words.STATUS_NAMES, fields))
    )


def _ref_of(fields: Mapping[str, object]) -> str | None:
    names = status_words.ID_NAMES
    if "status_url" in fields or "response_url" in fields:
        # fal's name for the id of a job; elsewhere, it names the id of an HTTP request
        names = (*names, "request_id")
    return next(filter(None, (ref_in(fields.get(name)) for name in names)), None)


def _first(names: tuple[str, ...], *layers: Mapping[str, object]) -> object:
    values = (layer.get(name) for layer in layers for name in names)
    return next((value for value in values if value not in _NOTHING), None)


def _job(fields: Mapping[str, object], more: Mapping[str, object]) -> RemoteJob:
    status = status_in(_first(status_words.STATUS_NAMES, fields, more))
    progress = percent_in(_first(("progress",), fields, more))
    link = find_link(fields) or find_link(more)
    told = status_words.state_of(status)
    if link is None and told is RemoteState.DONE:
        # Earlier versions of new-api put the link to the video into this field.
        link = find_link({"url": fields.get("fail_reason")})
    error = _error(fields, more)
    times = (layer.get(name) for layer in (fields, more) for name in status_words.END_NAMES)
    ended = progress == _COMPLETE or any(times)
    state = _inferred(told, link, error, ended=ended, status=status, progress=progress)
    if state is RemoteState.FAILED and not error:
        error = _found(status_words.MORE_ERROR_NAMES, fields, more) or fields.get("error")
    return RemoteJob(
        ref=_ref_of(fields) or _ref_of(more),
        status=status,
        state=state,
        inferred=state is not told,
        progress=progress,
        error=error,
        cost=dollars_in(fields.get("usage")),
        result_url=link,
        created_at=time_in(fields.get("created_at", fields.get("created"))),
        expires_at=time_in(fields.get("expires_at")),
        prompt=text_in(fields.get("prompt")),
        model=text_in(fields.get("model")),
        seconds=number_in(fields.get("seconds")),
        size=size_in(fields.get("size")),
    )


def _inferred(
    told: RemoteState | None,
    link: str | None,
    error: object,
    *,
    ended: bool,
    status: str,
    progress: int | None,
) -> RemoteState | None:
    """Return a job's state by its status word or, if that is unclear, by the job's other fields."""
    if told is RemoteState.DONE and error and not link:
        return RemoteState.FAILED  # for example, a content filter has removed the video
    if told in {RemoteState.DONE, RemoteState.FAILED}:
        return told
    if link and (ended or (not status and progress in {None, _COMPLETE})):
        return RemoteState.DONE
    if told is not None:
        return told
    if error:
        return RemoteState.FAILED
    return None


def _error(fields: Mapping[str, object], more: Mapping[str, object]) -> object:
    errors = (layer.get("error") for layer in (fields, more))
    error = next(filter(is_error, errors), None)
    return error or _found(status_words.ERROR_NAMES, fields, more)


def _found(names: tuple[str, ...], *layers: Mapping[str, object]) -> dict[str, object] | None:
    present = ((name, layer.get(name)) for layer in layers if layer for name in names)
    return {name: value for name, value in present if value and is_error(value)} or None


def is_error(value: object, depth: int = 4) -> bool:
    """Tell whether the value of an error field describes an error rather than a success."""
    if depth == 0:
        return bool(value)
    fields = mapping_in(value)
    if fields is not None:
        # On success, MiniMax also sends its error object, with a code that means success. Other
        # providers then send an error object whose fields are empty.
        code = fields.get("status_code", fields.get("code"))
        is_success = code not in _NOTHING and not is_error(code, depth - 1)
        told = (each for name, each in fields.items() if not name.lower().endswith("id"))
        return not is_success and any(is_error(each, depth - 1) for each in told)
    items = sequence_in(value)
    if items is not None:
        return any(is_error(each, depth - 1) for each in items)
    return bool(value) and str(value).strip().lower() not in _NO_ERRORS


def _contradicting_models(echoed: str | None, asked: str | None) -> bool:
    if echoed is None or asked is None:
        return False
    # Both "openai/sora-2" and "sora-2-2025-12-08" count as the requested model "sora-2".
    ours, theirs = (name.lower().rpartition("/")[2] for name in (asked, echoed))
    return not (ours.startswith(theirs) or theirs.startswith(ours))
