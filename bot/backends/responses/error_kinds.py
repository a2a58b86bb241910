"""Classifies a provider's error responses by their HTTP status and text."""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast

from bot.backends.responses import refusal_words
from bot.backends.responses.error_text import codes_in, has_error, texts_in
from bot.errors import BackendError, ErrorKind, UnconfirmedSubmitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.backends.responses.remote_job import RemoteJob

# Google sends the same message whether a quota is exhausted for a minute or there is no quota at
# all. The message contains a delay only in the first case. "limit: 0" means that there is no quota.
_NO_QUOTA = re.compile(r"\blimit: 0\b")
_RETRY_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_RETRY_IN = re.compile(r"\bretry in (\d{1,9}(?:\.\d{1,9})?) ?s", re.IGNORECASE)
# LiteLLM without a database responds with status 400 and this code to every key except its master
# key.
_UNKNOWN_KEY_CODE = "no_db_connection"
_INVALID = re.compile(r"\binvalid[ _](?:request|prompt|value|param|size|seconds)", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+", re.IGNORECASE)
# A response may repeat an order's audio data or the secret link to it, with slashes and colons that
# may be escaped.
_SOUND = re.compile(
    r"data(?::|%3a)audio[^\s\"']+|[0-9a-f]{32}\.[0-9]{1,12}\.[\w.-]+", re.IGNORECASE
)
_MAX_CLASSIFIED = 4000
_MAX_MESSAGE = 300
_MAX_JOINED = 16 * _MAX_CLASSIFIED
_MAX_RETRY_AFTER = 86_400.0

_CREATE_KINDS: Mapping[int, ErrorKind] = {
    400: ErrorKind.INVALID,
    401: ErrorKind.AUTH,
    402: ErrorKind.BALANCE,
    403: ErrorKind.UNEXPLAINED,
    # The route or the model does not exist, so another prompt would fail too.
    404: ErrorKind.SETUP,
    405: ErrorKind.SETUP,
    413: ErrorKind.INVALID,
    422: ErrorKind.INVALID,
    429: ErrorKind.RATE,
    451: ErrorKind.MODERATED,
}
_BAD_REQUEST = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_TOO_MANY_REQUESTS = 429
_AMBIGUOUS_STATUSES = frozenset({400, 403, 413, 422, 429})
# Even a response with a success status can be one of these refusals. An overload is not among them,
# because a busy server may have accepted the request.
_REFUSALS = frozenset({ErrorKind.MODERATED, ErrorKind.AUTH, ErrorKind.BALANCE, ErrorKind.SETUP})
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
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
_GONE_STATUSES = frozenset({"expired", "deleted", "task_not_found"})
_OVER_BUDGET = "budget_exceeded"
# new-api and other servers respond with status 400 and a code that matches this pattern if they
# don't know the job.
_UNKNOWN_JOB = re.compile(
    r"(?:(?:task|video|job|generation|prediction|resource)_?)?not_?(?:found|exists?)", re.IGNORECASE
)


def of_create(
    status: int, answer: object, *, retry_after: float | None, prompt: str = ""
) -> BackendError:
    """Classify the refusal of a create request.

    `prompt`: the prompt of the request. If the response repeats the prompt, the repetition is
    ignored, because its words are not the provider's own.

    Returns an UnconfirmedSubmitError if a job may exist despite the refusal.
    """
    message = describe(answer, status)
    if status not in _CREATE_KINDS:
        return UnconfirmedSubmitError(message)
    kind = _CREATE_KINDS[status]
    told = _kind_by_text(answer, prompt, is_busy=status == _TOO_MANY_REQUESTS)
    if _may_mean(status, told):
        kind = told or kind
    return BackendError(kind, message, retry_after=retry_after)


def of_success_without_job(answer: object, *, prompt: str = "") -> BackendError:
    """Classify a response to a create request, with a success status but without a job id.

    Returns an UnconfirmedSubmitError if the response contains no known refusal, because a job may
    then exist.
    """
    kind = _kind_by_text(answer, prompt)
    if kind is not None and kind in _REFUSALS and has_error(answer):
        return BackendError(kind, describe(answer))
    return UnconfirmedSubmitError("the answer to the create holds no readable id")


def of_job(status: int, answer: object, *, retry_after: float | None = None) -> BackendError:
    """Classify the refusal of a request that is neither a create request nor a download."""
    kind = _JOB_KINDS.get(status, ErrorKind.TRANSIENT)
    if status == _BAD_REQUEST and _is_key_error(answer):
        kind = ErrorKind.AUTH
    elif status == _BAD_REQUEST and any(map(_UNKNOWN_JOB.fullmatch, codes_in(answer))):
        kind = ErrorKind.GONE
    return BackendError(kind, describe(answer, status), retry_after=retry_after)


def of_content(status: int, answer: object) -> BackendError:
    """Classify the refusal to send the content of a completed job."""
    if is_unfinished(answer):
        return BackendError(ErrorKind.TRANSIENT, describe(answer, status))
    kind = _JOB_KINDS.get(status, ErrorKind.TRANSIENT)
    return BackendError(kind, describe(answer, status))


def is_unfinished(answer: object) -> bool:
    """Tell whether the refusal of a download says that the video is still being made."""
    return _UNFINISHED.search(describe(answer)) is not None


def of_link(status: int) -> BackendError:
    """Classify a refusal by the host of a result link.

    Status 403 means that the signed link has expired.
    """
    gone = status in _EXPIRED_LINK_STATUSES
    return BackendError(
        ErrorKind.GONE if gone else ErrorKind.TRANSIENT, f"HTTP {status} from the result's host"
    )


def of_failure(job: RemoteJob) -> BackendError:
    """Classify the error of a remote job that failed."""
    message = describe(job.error) or f"the job is {job.status or 'failed'}"
    if job.status in _GONE_STATUSES:
        return BackendError(ErrorKind.GONE, message)
    if job.status == _OVER_BUDGET:
        return BackendError(ErrorKind.BALANCE, message)
    told = [job.error, job.status]
    return BackendError(_kind_by_text(told) or _kind_by_code(job.error), message)


def describe(answer: object, status: int | None = None) -> str:
    """Summarise an error response in one line.

    The query strings of URLs are removed, because they may contain signatures, which must not be
    logged. Audio data is removed too.
    """
    joined = _SOUND.sub("...", ": ".join(texts_in(answer)))[:_MAX_JOINED]
    line = " ".join(joined.split())[:_MAX_CLASSIFIED]
    line = "".join(char for char in _QUERY.sub(r"\1?...", line) if char.isprintable())
    line = line[:_MAX_MESSAGE]
    return line if status is None else f"HTTP {status} {line}".rstrip()


def retry_after_in(header: str | None, *, now: float) -> float | None:
    """Return the seconds in a Retry-After header, which contains a number or an HTTP date."""
    if header is None:
        return None
    try:
        delay = float(header)
    except ValueError:
        delay = _until(header, now)
    return None if math.isnan(delay) else min(max(delay, 0.0), _MAX_RETRY_AFTER)


def retry_delay_in(answer: object) -> float | None:
    """Return the retry delay in one of Google's errors, in seconds, or None if there is none."""
    first = next(iter(_items(answer)), answer)  # some of Google's routes put the error in a list
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
    text = _text_of(answer)
    named = _UNKNOWN_KEY_CODE in texts_in(answer)
    return named or refusal_words.kind_of_text(text) is ErrorKind.AUTH


def _may_mean(status: int, told: ErrorKind | None) -> bool:
    if status == _UNAUTHORIZED:
        return told is ErrorKind.BALANCE
    # With status 403, a text about a missing model means that the settings are wrong. With other
    # statuses, the model may be missing only for this request.
    return status in _AMBIGUOUS_STATUSES and (told is not ErrorKind.SETUP or status == _FORBIDDEN)


def _kind_by_text(answer: object, prompt: str = "", *, is_busy: bool = False) -> ErrorKind | None:
    if _UNKNOWN_KEY_CODE in texts_in(answer):
        return ErrorKind.AUTH
    text = _text_of(answer)
    if prompt:
        text = text.replace(prompt, " ")
    codes = map(refusal_words.kind_of_code, codes_in(answer))
    kind = next(filter(None, codes), None) or refusal_words.kind_of_text(text, is_busy=is_busy)
    if kind is not ErrorKind.BALANCE:
        return kind
    temporary = retry_delay_in(answer) is not None and not _NO_QUOTA.search(text)
    return ErrorKind.RATE if temporary else ErrorKind.BALANCE


def _text_of(answer: object) -> str:
    text = " ".join(texts_in(answer))[:_MAX_CLASSIFIED]
    # JSON inside a message may still contain escape sequences.
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _kind_by_code(error: object) -> ErrorKind:
    first = next(texts_in(error), "")
    if _INVALID.search(first) or first in {"400", "413", "422"}:
        return ErrorKind.INVALID
    return ErrorKind.INTERNAL
