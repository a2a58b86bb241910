"""Reads the status, the body and the headers of a provider's HTTP response."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from bot.backends.responses import error_kinds, remote_job
from bot.backends.responses.error_text import find_failed_job

if TYPE_CHECKING:
    from bot.backends.responses.remote_job import RemoteJob
    from bot.backends.transport.base import Answer

_MAX_TEXT = 64 * 1024
_TITLE = re.compile(r"<title>([^<]{1,200})</title>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A provider's response.

    `answer`: the parsed JSON, or the text of an error response that isn't JSON.
    `retry_after`: the delay in seconds that the provider asks for, or None.
    `answered_at`: the time in the `Date` header, in Unix seconds, or None.
    """

    ok: bool
    status: int
    answer: object
    retry_after: float | None
    answered_at: float | None = None

    @property
    def job(self) -> RemoteJob | None:
        """The job in the response, or None. An error response can only contain a failed job."""
        job = remote_job.job_in(self.answer) if self.ok else find_failed_job(self.answer)
        return job and replace(job, answered_at=self.answered_at)


def read(response: Answer, *, secret: str | None, now: float) -> Reply:
    """Read a response, and remove `secret` from it. Some servers repeat a key that they refuse.

    `now` is only used if there is no `Date` header, because this machine's clock may differ from
    the provider's.
    """
    body = response.content
    if secret:
        body = body.replace(secret.encode(), b"***")
    answer = remote_job.parse(body)
    if answer is None and not response.ok:
        answer = _text(body)
    answered_at = _time_in(response.headers.get("date"))
    retry_after = error_kinds.retry_after_in(
        response.headers.get("retry-after"), now=now if answered_at is None else answered_at
    )
    if retry_after is None and not response.ok:
        retry_after = error_kinds.retry_delay_in(answer)
    return Reply(
        ok=response.ok,
        status=response.status,
        answer=answer,
        retry_after=retry_after,
        answered_at=answered_at,
    )


def _time_in(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _text(body: bytes) -> str | None:
    text = body[:_MAX_TEXT].decode("utf-8", "replace").strip()
    if not text.startswith("<"):
        return text or None
    title = _TITLE.search(text)
    return title[1].strip() if title else None
