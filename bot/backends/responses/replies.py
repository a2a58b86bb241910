"""One HTTP answer of a provider, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.backends.responses import error_kinds, remote_job
from bot.backends.responses.error_text import failed_job_in

if TYPE_CHECKING:
    import httpx2

    from bot.backends.responses.remote_job import RemoteJob


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A status, and the JSON that came with it; `retry_after` is in seconds."""

    ok: bool
    status: int
    answer: object
    retry_after: float | None

    @property
    def job(self) -> RemoteJob | None:
        """The job in it; an error answer can only hold a failed one."""
        return remote_job.job_in(self.answer) if self.ok else failed_job_in(self.answer)


def read(response: httpx2.Response, *, secret: str | None, now: float) -> Reply:
    """Read an answer that is in memory; servers repeat a key that they refuse, so it is blotted."""
    body = response.content
    if secret:
        body = body.replace(secret.encode(), b"***")
    answer = remote_job.parse(body)
    retry_after = error_kinds.retry_after_in(response.headers.get("retry-after"), now=now)
    if retry_after is None and not response.is_success:
        retry_after = error_kinds.retry_delay_in(answer)
    return Reply(
        ok=response.is_success,
        status=response.status_code,
        answer=answer,
        retry_after=retry_after,
    )
