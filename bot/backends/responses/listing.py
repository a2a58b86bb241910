"""Which remote jobs may be the one of a doubtful create, and whether one may be missing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.backends.base import Listing
from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.backends.responses.remote_job import ListingPage, RemoteJob
    from bot.model import VideoRequest


async def jobs_since(
    since: float,
    page_after: Callable[[str | None], Awaitable[ListingPage | None]],
    *,
    max_pages: int,
) -> tuple[list[RemoteJob], bool]:
    """Collect the listed jobs back to `since`, and tell whether none of them can be missing.

    `page_after` reads the page that follows a ref, newest jobs first; None: there is no listing.
    """
    jobs: list[RemoteJob] = []
    after: str | None = None
    for _ in range(max_pages):
        page = await page_after(after)
        if page is None:
            return jobs, False
        known = {job.ref for job in jobs}
        fresh = [job for job in page.jobs if job.ref not in known]
        jobs.extend(fresh)
        if page.unread or len(fresh) < len(page.jobs):
            # Unreadable entries, or a server that ignores `after`: ours may hide behind them.
            return jobs, False
        # A server that doesn't tell whether there is more shows it with an empty page.
        if page.more is False or not fresh or _reach(jobs, since):
            return jobs, page.more is not True or bool(fresh)
        after = page.last
    return jobs, False


async def looked_up(
    refs: Iterable[str], retrieve: Callable[[str], Awaitable[RemoteJob]]
) -> list[RemoteJob]:
    """Read the jobs of these refs, by which they stay known, one by one; some may be gone."""
    jobs: list[RemoteJob] = []
    for ref in sorted(refs):
        try:
            jobs.append(replace(await retrieve(ref), ref=ref))
        except BackendError as error:
            if error.kind is not ErrorKind.GONE:
                raise
    return jobs


def listing_of(
    jobs: Iterable[RemoteJob], request: VideoRequest, *, since: float, complete: bool
) -> Listing:
    """Pick out the jobs that are not older than `since`, and may be this request's."""
    found = [job for job in jobs if not _is_older(job, since) and not job.contradicts(request)]
    return Listing(
        refs=tuple(job.ref for job in found if job.ref),
        complete=complete,
        certain=all(job.prompt is not None for job in found),
    )


def _is_older(job: RemoteJob, since: float) -> bool:
    return job.created_at is not None and job.created_at < since


def _reach(jobs: list[RemoteJob], since: float) -> bool:
    # Only a listing that visibly falls in time has shown everything newer than its last job.
    times = [job.created_at for job in jobs]
    dated = [moment for moment in times if moment is not None]
    return (
        len(dated) == len(times)
        and all(later >= earlier for later, earlier in pairwise(dated))
        and dated[0] > dated[-1]
        and dated[-1] < since
    )
