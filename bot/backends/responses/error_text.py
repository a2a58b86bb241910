"""Extracts the codes, the messages and the failed job, if any, from an error response."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, cast

from bot.backends.base import RemoteState
from bot.backends.responses.remote_job import is_error, job_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.backends.responses.remote_job import RemoteJob

_MAX_PARTS = 1000
_MAX_TEXT = 64 * 1024
_MAX_BRACES = 16
_MAX_DEPTH = 4
_CODES_FIRST = ("code", "type", "message")
_CODE_FIELDS = frozenset(
    ("code", "status_code", "error_code", "err_code", "errcode", "fail_code", "failcode")
)
# If one of these fields is not empty, it reports an error, even if the status is a success.
_ERROR_FIELDS = frozenset(
    ("error", "errors", "base_resp", "error_code", "err_code", "errcode", "error_message", "code")
)
_FLAGS = ("success", "ok")
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_ENVELOPES = frozenset({"data", "result", "response", "responsemetadata"})
# These fields may repeat the request. A prompt doesn't explain the error, and must not be logged.
_ECHO_FIELDS = frozenset({"input", "flagged_input", "prompt", "ctx", "loc"})


def find_failed_job(value: object) -> RemoteJob | None:
    """Return the failed job in an error response.

    The job may be the response itself, or JSON inside one of its strings. A response that lacks an
    id or a known status is treated as an outage instead.
    """
    jobs = (job_in(value), *_jobs_in_texts(value))
    failed = (job for job in jobs if job and job.ref and job.status and not job.inferred)
    return next((job for job in failed if job.state is RemoteState.FAILED), None)


def has_error(value: object, depth: int = _MAX_DEPTH) -> bool:
    """Tell whether a response describes an error, even if its status is a success."""
    if depth == 0 or not isinstance(value, dict):
        return False
    fields = {name.lower(): item for name, item in cast("Mapping[str, object]", value).items()}
    return (
        any(is_error(fields.get(name)) for name in _ERROR_FIELDS)
        or any(fields.get(name) is False for name in _FLAGS)
        or str(fields.get("status")).lower() in _FAILED
        or any(has_error(fields[name], depth - 1) for name in _ENVELOPES & fields.keys())
    )


def codes_in(value: object) -> Iterator[str]:
    """Yield the values of the fields for error codes in an error response."""
    for part in islice(_parts(value, _MAX_DEPTH), _MAX_PARTS):
        if isinstance(part, dict):
            for name, code in cast("Mapping[str, object]", part).items():
                if name.lower() in _CODE_FIELDS and isinstance(code, str | int):
                    yield str(code)


def texts_in(value: object) -> Iterator[str]:
    """Yield the strings and numbers in an error response, with codes before messages.

    Only the first parts of a huge response, and the beginning of a long string, are included.
    """
    for part in islice(_parts(value, _MAX_DEPTH), _MAX_PARTS):
        if isinstance(part, str | int | float) and not isinstance(part, bool):
            yield str(part)[:_MAX_TEXT]


def _parts(value: object, depth: int) -> Iterator[object]:
    yield value
    if depth > 0:
        for item in _items(value):
            yield from _parts(item, depth - 1)


def _items(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from _in_order(cast("Mapping[str, object]", value))
    elif isinstance(value, list):
        yield from cast("list[object]", value)


def _in_order(fields: Mapping[str, object]) -> Iterator[object]:
    yield from (fields[key] for key in _CODES_FIRST if key in fields)
    yield from (item for key, item in fields.items() if key not in {*_CODES_FIRST, *_ECHO_FIELDS})


def _jobs_in_texts(value: object) -> Iterator[RemoteJob]:
    # Each "{" in a string may be the beginning of JSON. Parsing at each of them would take too
    # long, so all strings share one limit.
    braces = ((text, brace.start()) for text in texts_in(value) for brace in re.finditer("{", text))
    for text, start in islice(braces, _MAX_BRACES):
        try:
            inner = cast("object", json.JSONDecoder().raw_decode(text, start)[0])
        except (ValueError, RecursionError):
            continue
        if job := job_in(inner):
            yield job
