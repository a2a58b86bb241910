"""The texts in an error answer, and the failed job that may stand in one of them."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, cast

from bot.backends.base import RemoteState
from bot.backends.responses.remote_job import job_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.backends.responses.remote_job import RemoteJob

_MAX_PARTS = 1000
_MAX_TEXT = 64 * 1024
_MAX_BRACES = 16
_MAX_DEPTH = 4
_CODES_FIRST = ("code", "type", "message")
# An error answer may echo what was sent: a prompt is no reason, and belongs in no log.
_ECHOES = frozenset({"input", "flagged_input", "prompt", "ctx", "loc"})


def failed_job_in(value: object) -> RemoteJob | None:
    """Find a failed job in an error answer: as its body, or as JSON inside one of its texts.

    Without an id and a status word it is no job, but an outage.
    """
    jobs = (job_in(value), *_jobs_in_texts(value))
    failed = (job for job in jobs if job and job.ref and job.word)
    return next((job for job in failed if job.state is RemoteState.FAILED), None)


def texts_in(value: object) -> Iterator[str]:
    """Walk through the texts and numbers of an error answer, codes before messages.

    Of a huge answer only the first parts are visited, and of a long text its start is given.
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
    yield from (item for key, item in fields.items() if key not in {*_CODES_FIRST, *_ECHOES})


def _jobs_in_texts(value: object) -> Iterator[RemoteJob]:
    # Each brace may cost a walk to the text's end: a few are tried in all, not in every text.
    braces = ((text, brace.start()) for text in texts_in(value) for brace in re.finditer("{", text))
    for text, start in islice(braces, _MAX_BRACES):
        try:
            inner = cast("object", json.JSONDecoder().raw_decode(text, start)[0])
        except (ValueError, RecursionError):
            continue
        if job := job_in(inner):
            yield job
