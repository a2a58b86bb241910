"""What a provider's "no" means: HTTP statuses and error texts, brought down to kinds."""

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
    r"|(?-i:\b(?:IMAGE_|VIDEO_|PROMPT_)?(?:SAFETY|BLOCKLIST|SPII)\b)",  # Google's, never in prose
    re.IGNORECASE,
)
_KEY = re.compile(r"api[ _]key[ _](?:not[ _]valid|invalid|expired|not[ _]found)", re.IGNORECASE)
_BALANCE = re.compile(
    r"insufficient[ _-]?(?:quota|balance|credit|funds)|billing|exceeded your current quota"
    r"|key limit exceeded",
    re.IGNORECASE,
)
# Google says the same of a quota that is used up for a minute, but for the delay that it names.
_NO_QUOTA = re.compile(r"\blimit: 0\b")
_RETRY_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_RETRY_IN = re.compile(r"\bretry in (\d{1,9}(?:\.\d{1,9})?) ?s", re.IGNORECASE)
# LiteLLM without a database says so, with 400, of every key but its master key.
_KEY_UNKNOWN = "no_db_connection"
_INVALID = re.compile(r"\binvalid[ _](?:request|prompt|value|param|size|seconds)", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+", re.IGNORECASE)
_MAX_CLASSIFIED = 4000
_MAX_MESSAGE = 300
_MAX_JOINED = 16 * _MAX_CLASSIFIED
_MAX_RETRY_AFTER = 86_400.0

_OF_CREATE: Mapping[int, ErrorKind] = {
    400: ErrorKind.INVALID,
    401: ErrorKind.AUTH,
    402: ErrorKind.BALANCE,
    403: ErrorKind.AUTH,
    # No such route, or no such model: whatever the prompt is.
    404: ErrorKind.SETUP,
    405: ErrorKind.SETUP,
    413: ErrorKind.INVALID,
    422: ErrorKind.INVALID,
    429: ErrorKind.RATE,
}
_BAD_REQUEST = 400
_MAY_SAY_MORE = frozenset({400, 403, 413, 422, 429})
_OF_JOB: Mapping[int, ErrorKind] = {
    401: ErrorKind.AUTH,
    402: ErrorKind.BALANCE,
    403: ErrorKind.AUTH,
    404: ErrorKind.GONE,
    410: ErrorKind.GONE,
    429: ErrorKind.RATE,
}
_DEAD_LINK = frozenset({403, 404, 410})
_NOT_YET = re.compile(r"in[ _-]progress|not (?:yet )?(?:ready|complete|finished)", re.IGNORECASE)
_LOST_WORDS = frozenset({"expired", "deleted"})
_OVER_BUDGET = "budget_exceeded"


def of_create(status: int, answer: object, *, retry_after: float | None) -> BackendError:
    """Classify a refused create; UnconfirmedSubmitError: this status does not say "not created"."""
    message = describe(answer, status)
    if status not in _OF_CREATE:
        return UnconfirmedSubmitError(message)
    kind = _OF_CREATE[status]
    if status in _MAY_SAY_MORE:
        kind = _spoken(answer) or kind
    return BackendError(kind, message, retry_after=retry_after)


def of_job(status: int, answer: object, *, retry_after: float | None = None) -> BackendError:
    """Classify a refusal to tell about, or to hand out, a job that exists."""
    kind = _OF_JOB.get(status, ErrorKind.TRANSIENT)
    if status == _BAD_REQUEST and _is_of_the_key(answer):
        kind = ErrorKind.AUTH
    return BackendError(kind, describe(answer, status), retry_after=retry_after)


def of_content(status: int, answer: object) -> BackendError:
    """Classify a refusal to hand out the content of a job that is said to be done."""
    kind = ErrorKind.TRANSIENT if is_not_yet(answer) else _OF_JOB.get(status, ErrorKind.TRANSIENT)
    return BackendError(kind, describe(answer, status))


def is_not_yet(answer: object) -> bool:
    """Whether a refusal of the content says that the video is still being made."""
    return _NOT_YET.search(describe(answer)) is not None


def of_link(status: int) -> BackendError:
    """Classify a refusal by the host of a result: 403 means that its link has run out."""
    gone = status in _DEAD_LINK
    return BackendError(
        ErrorKind.GONE if gone else ErrorKind.TRANSIENT, f"HTTP {status} from the result's host"
    )


def of_failure(job: RemoteJob) -> BackendError:
    """Say why a remote job failed."""
    message = describe(job.error) or f"the job is {job.word or 'failed'}"
    if job.word in _LOST_WORDS:
        return BackendError(ErrorKind.GONE, message)
    if job.word == _OVER_BUDGET:
        return BackendError(ErrorKind.BALANCE, message)
    return BackendError(_spoken(job.error) or _by_code(job.error), message)


def describe(answer: object, status: int | None = None) -> str:
    """Put an error answer into one short line without the secret part of any link."""
    joined = ": ".join(texts_in(answer))[:_MAX_JOINED]
    line = " ".join(joined.split())[:_MAX_CLASSIFIED]
    line = "".join(char for char in _QUERY.sub(r"\1?...", line) if char.isprintable())
    line = line[:_MAX_MESSAGE]
    return line if status is None else f"HTTP {status} {line}".rstrip()


def retry_after_in(header: str | None, *, now: float) -> float | None:
    """Read a Retry-After header, seconds or an HTTP date, as seconds from `now`."""
    if header is None:
        return None
    try:
        delay = float(header)
    except ValueError:
        delay = _until(header, now)
    return None if math.isnan(delay) else min(max(delay, 0.0), _MAX_RETRY_AFTER)


def retry_delay_in(answer: object) -> float | None:
    """Read the delay, in seconds, that an error answer of Google's names: RetryInfo, or prose."""
    first = next(iter(_items(answer)), answer)  # some of its routes put it into a list
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


def _is_of_the_key(answer: object) -> bool:
    return _KEY_UNKNOWN in texts_in(answer) or _KEY.search(_text_of(answer)) is not None


def _spoken(answer: object) -> ErrorKind | None:
    text = _text_of(answer)
    if _MODERATED.search(text):
        return ErrorKind.MODERATED
    if _is_of_the_key(answer):
        return ErrorKind.AUTH
    if not _BALANCE.search(text):
        return None
    passing = retry_delay_in(answer) is not None and not _NO_QUOTA.search(text)
    return ErrorKind.RATE if passing else ErrorKind.BALANCE


def _text_of(answer: object) -> str:
    return " ".join(texts_in(answer))[:_MAX_CLASSIFIED]


def _by_code(error: object) -> ErrorKind:
    first = next(texts_in(error), "")
    if _INVALID.search(first) or first in {"400", "413", "422"}:
        return ErrorKind.INVALID
    return ErrorKind.INTERNAL
