"""The status, body and Retry-After of a provider's HTTP answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.backends.responses import error_kinds, remote_job
from bot.backends.responses.error_text import find_failed_job

if TYPE_CHECKING:
    import httpx2

    from bot.backends.responses.remote_job import RemoteJob


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A provider's answer; `answer` is its parsed JSON, and `retry_after` is in seconds."""

    ok: bool
    status: int
    answer: object
    retry_after: float | None

    @property
    def job(self) -> RemoteJob | None:
        """The job in the answer; an error answer can only contain a failed job."""
        return remote_job.job_in(self.answer) if self.ok else find_failed_job(self.answer)


def read(response: httpx2.Response, *, secret: str | None, now: float) -> Reply:
    """Read an answer, with `secret` redacted: servers repeat the key that they refuse."""
    body = response.content
    if secret:
        body = body.replace(secret.encode(), b"***")
    answer = remote_job.parse(body)
    # A date is compared with the provider's own clock, if it tells it.
    told = error_kinds.date_in(response.headers.get("date"))
    retry_after = error_kinds.retry_after_in(
        response.headers.get("retry-after"), now=now if told is None else told
    )
    if retry_after is None and not response.is_success:
        retry_after = error_kinds.retry_delay_in(answer)
    return Reply(
        ok=response.is_success,
        status=response.status_code,
        answer=answer,
        retry_after=retry_after,
    )
