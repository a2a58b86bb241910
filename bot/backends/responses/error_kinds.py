"""Classification of a provider's refusals: HTTP statuses and error texts become ErrorKinds."""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast

from bot.backends.responses.error_text import texts_in
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.backends.responses.remote_job import RemoteJob

_MODERATED = re.compile(
    r"moderation|moderated|content[ _-]?(?:policy|filter)|policy[ _]violation"
    r"|safety[ _](?:system|filter|violation|policy)|nsfw|prohibited[ _](?:content|use)"
    r"|responsible ai|(?:usage|community) guidelines"
    r"|(?-i:\b(?:IMAGE_|VIDEO_|PROMPT_)?(?:SAFETY|BLOCKLIST|SPII)\b)",  # Google's codes
    re.IGNORECASE,
)
_KEY = re.compile(r"api[ _]key[ _](?:not[ _]valid|invalid|expired|not[ _]found)", re.IGNORECASE)
_BALANCE = re.compile(
    r"insufficient[ _-]?(?:quota|balance|credit|funds)|billing|exceeded your current quota"
    r"|key limit exceeded",
    re.IGNORECASE,
)
# Google's message for a quota that is used up for only a minute is the same, but names a delay.
# With "limit: 0" there is no quota at all.
_NO_QUOTA = re.compile(r"\blimit: 0\b")
_RETRY_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_RETRY_IN = re.compile(r"\bretry in (\d{1,9}(?:\.\d{1,9})?) ?s", re.IGNORECASE)
# LiteLLM without a database answers 400 with this code to every key but its master key.
_UNKNOWN_KEY_CODE = "no_db_connection"
_INVALID = re.compile(r"\binvalid[ _](?:request|prompt|value|param|size|seconds)", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+", re.IGNORECASE)
_MAX_CLASSIFIED = 4000
_MAX_MESSAGE = 300
_MAX_JOINED = 16 * _MAX_CLASSIFIED
_MAX_RETRY_AFTER = 86_400.0

_CREATE_KINDS: Mapping[int, ErrorKind] = {
    400: ErrorKind.INVALID,
    401: ErrorKind.AUTH,
    402: ErrorKind.BALANCE,
    403: ErrorKind.AUTH,
    # There is no such route or model, so another prompt would not help.
    404: ErrorKind.SETUP,
    405: ErrorKind.SETUP,
    413: ErrorKind.INVALID,
    422: ErrorKind.INVALID,
    429: ErrorKind.RATE,
}
_BAD_REQUEST = 400
_AMBIGUOUS_STATUSES = frozenset({400, 403, 413, 422, 429})
_JOB_KINDS: Mapping[int, ErrorKind] = {
    401: ErrorKind.AUTH,
    402: ErrorKind.BALANCE,
    403: ErrorKind.AUTH,
    404: ErrorKind.GONE,
    410: ErrorKind.GONE,
    429: ErrorKind.RATE,
}
_EXPIRED_LINK_STATUSES = frozenset({403, 404, 410})
_UNFINISHED = re.compile(r"in[ _-]progress|not (?:yet )?(?:ready|complete|finished)", re.IGNORECASE)
_GONE_STATUSES = frozenset({"expired", "deleted"})
_OVER_BUDGET = "budget_exceeded"


def of_create(status: int, answer: object, *, retry_after: float | None) -> BackendError:
    """Classify a refused create; UnconfirmedSubmitError: a job may exist despite this status."""
    message = describe(answer, status)
    if status not in _CREATE_KINDS:
        return UnconfirmedSubmitError(message)
    kind = _CREATE_KINDS[status]
    if status in _AMBIGUOUS_STATUSES:
        kind = _kind_by_text(answer) or kind
    return BackendError(kind, message, retry_after=retry_after)


def of_job(status: int, answer: object, *, retry_after: float | None = None) -> BackendError:
    """Classify a refusal of any request but a create or a download."""
    kind = _JOB_KINDS.get(status, ErrorKind.TRANSIENT)
    if status == _BAD_REQUEST and _is_key_error(answer):
        kind = ErrorKind.AUTH
    return BackendError(kind, describe(answer, status), retry_after=retry_after)


def of_content(status: int, answer: object) -> BackendError:
    """Classify a refused download of a completed job's content."""
    if is_unfinished(answer):
        return BackendError(ErrorKind.TRANSIENT, describe(answer, status))
    kind = _JOB_KINDS.get(status, ErrorKind.TRANSIENT)
    return BackendError(kind, describe(answer, status))


def is_unfinished(answer: object) -> bool:
    """Return whether a refused download says that the video is still being made."""
    return _UNFINISHED.search(describe(answer)) is not None


def of_link(status: int) -> BackendError:
    """Classify a refusal by the host of a result; 403 means that the signed link has expired."""
    gone = status in _EXPIRED_LINK_STATUSES
    return BackendError(
        ErrorKind.GONE if gone else ErrorKind.TRANSIENT, f"HTTP {status} from the result's host"
    )


def of_failure(job: RemoteJob) -> BackendError:
    """Classify the error of a failed remote job."""
    message = describe(job.error) or f"the job is {job.status or 'failed'}"
    if job.status in _GONE_STATUSES:
        return BackendError(ErrorKind.GONE, message)
    if job.status == _OVER_BUDGET:
        return BackendError(ErrorKind.BALANCE, message)
    return BackendError(_kind_by_text(job.error) or _kind_by_code(job.error), message)


def describe(answer: object, status: int | None = None) -> str:
    """Summarize an error answer in one short line, without the query strings of its links.

    The query of a link may hold its signature, which must not be logged.
    """
    joined = ": ".join(texts_in(answer))[:_MAX_JOINED]
    line = " ".join(joined.split())[:_MAX_CLASSIFIED]
    line = "".join(char for char in _QUERY.sub(r"\1?...", line) if char.isprintable())
    line = line[:_MAX_MESSAGE]
    return line if status is None else f"HTTP {status} {line}".rstrip()


def retry_after_in(header: str | None, *, now: float) -> float | None:
    """Read a Retry-After header, which holds seconds or an HTTP date, as seconds from `now`."""
    if header is None:
        return None
    try:
        delay = float(header)
    except ValueError:
        delay = _until(header, now)
    return None if math.isnan(delay) else min(max(delay, 0.0), _MAX_RETRY_AFTER)


def date_in(header: str | None) -> float | None:
    """Read a Date header as Unix seconds; None: there is none."""
    date = _until(header or "", 0.0)
    return None if math.isnan(date) else date


def retry_delay_in(answer: object) -> float | None:
    """Read the delay, in seconds, in Google's error answers: from RetryInfo or the message."""
    first = next(iter(_items(answer)), answer)  # some of its routes wrap the answer in a list
    details = _items(_mapping(_mapping(first).get("error")).get("details"))
    named = (_RETRY_DELAY.fullmatch(str(_mapping(item).get("retryDelay"))) for item in details)
    delay = next(filter(None, named), None) or _RETRY_IN.search(_text_of(answer))
    return min(float(delay[1]), _MAX_RETRY_AFTER) if delay else None


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _until(date: str, now: float) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return math.nan


def _is_key_error(answer: object) -> bool:
    return _UNKNOWN_KEY_CODE in texts_in(answer) or _KEY.search(_text_of(answer)) is not None


def _kind_by_text(answer: object) -> ErrorKind | None:
    text = _text_of(answer)
    if _MODERATED.search(text):
        return ErrorKind.MODERATED
    if _is_key_error(answer):
        return ErrorKind.AUTH
    if not _BALANCE.search(text):
        return None
    temporary = retry_delay_in(answer) is not None and not _NO_QUOTA.search(text)
    return ErrorKind.RATE if temporary else ErrorKind.BALANCE


def _text_of(answer: object) -> str:
    return " ".join(texts_in(answer))[:_MAX_CLASSIFIED]


def _kind_by_code(error: object) -> ErrorKind:
    first = next(texts_in(error), "")
    if _INVALID.search(first) or first in {"400", "413", "422"}:
        return ErrorKind.INVALID
    return ErrorKind.INTERNAL
