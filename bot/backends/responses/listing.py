"""Searches a provider's remote jobs for the job of an unconfirmed create."""

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


async def list_jobs_since(
    since: float,
    page_after: Callable[[str | None], Awaitable[ListingPage | None]],
    *,
    max_pages: int,
) -> tuple[list[RemoteJob], bool]:
    """Collect the listed jobs back to `since`, and return whether none is missing.

    `page_after` reads the page that follows a ref, newest jobs first, or returns None if the
    server has no listing.
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
        if page.unreadable or len(fresh) < len(page.jobs):
            # An unreadable entry may be our job, and a server that ignores `after` may omit it.
            return jobs, False
        # A server without `has_more` marks the end of its list with an empty page.
        if page.has_more is False or not fresh or _reaches_back_to(since, jobs):
            return jobs, page.has_more is not True or bool(fresh)
        after = page.last
    return jobs, False


async def look_up_jobs(
    refs: Iterable[str], retrieve: Callable[[str], Awaitable[RemoteJob]]
) -> list[RemoteJob]:
    """Read the jobs with these refs one by one, skipping jobs that no longer exist.

    Each job keeps the ref that was looked up, because some servers answer with another id.
    """
    jobs: list[RemoteJob] = []
    for ref in sorted(refs):
        try:
            jobs.append(replace(await retrieve(ref), ref=ref))
        except BackendError as error:
            if error.kind is not ErrorKind.GONE:
                raise
    return jobs


def matching_listing(
    jobs: Iterable[RemoteJob], request: VideoRequest, *, since: float, complete: bool
) -> Listing:
    """Select the jobs that match the request and are not older than `since`."""
    found = [job for job in jobs if not _is_older(job, since) and not job.contradicts(request)]
    return Listing(
        refs=tuple(job.ref for job in found if job.ref),
        complete=complete,
        certain=all(job.prompt is not None for job in found),
    )


def _is_older(job: RemoteJob, since: float) -> bool:
    return job.created_at is not None and job.created_at < since


def _reaches_back_to(since: float, jobs: list[RemoteJob]) -> bool:
    # Only a list sorted from newest to oldest is sure to contain every job newer than its last.
    times = [job.created_at for job in jobs]
    dated = [moment for moment in times if moment is not None]
    return (
        len(dated) == len(times)
        and all(later >= earlier for later, earlier in pairwise(dated))
        and dated[0] > dated[-1]
        and dated[-1] < since
    )
