"""Searches a provider's list of jobs for the job of an unconfirmed create request."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.backends.base import Listing
from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.backends.base import AnsweredJob
    from bot.backends.responses.remote_job import ListingPage, RemoteJob
    from bot.model import VideoRequest

# The clocks of a provider's machines may differ by this many seconds.
_SKEW_SECONDS = 300.0


async def list_jobs(
    page_after: Callable[[str | None], Awaitable[ListingPage | None]],
    *,
    max_pages: int,
    answered: tuple[AnsweredJob, ...] = (),
) -> tuple[list[RemoteJob], bool]:
    """Return the jobs in a provider's list, and whether the list is complete.

    `page_after`: returns the page that follows an id, or None if the server has no list. The pages
    show the newest jobs first.

    The list is read to its end, or back to a known job that is older than the create request. The
    bot's own clock can't tell when to stop, since it may differ from the provider's.
    """
    earlier = tuple(each for each in answered if each.is_earlier)
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
            # The job that is looked for may be among the malformed entries. A server that ignores
            # `after` may never show that job.
            return jobs, False
        # Servers without `has_more` mark the end of their list with an empty page.
        if page.has_more is False or not fresh or _reaches_back(jobs, earlier):
            return jobs, page.has_more is not True or bool(fresh)
        after = page.last
    return jobs, False


def matching_listing(
    jobs: Iterable[RemoteJob],
    request: VideoRequest | None,
    *,
    complete: bool,
    answered: tuple[AnsweredJob, ...] = (),
) -> Listing:
    """Return the jobs that match the request, or all jobs if `request` is None."""
    jobs = tuple(jobs)
    found = [job for job in jobs if request is None or not job.contradicts(request)]
    return Listing(
        refs=tuple(job.ref for job in found if job.ref),
        complete=complete,
        shows_own=_shows_newest(jobs, answered),
        echoes={job.ref: job.echo for job in found if job.ref},
    )


async def with_hints(
    listing: Listing,
    request: VideoRequest | None,
    refs: Iterable[str],
    retrieve: Callable[[str], Awaitable[RemoteJob]],
) -> Listing:
    """Request the jobs with the ids `refs` one by one, and add those that match the request.

    If a job isn't found, it may still exist, so the listing is marked as incomplete.
    """
    jobs: list[RemoteJob] = []
    lost = False
    for ref in sorted({*refs}):
        try:
            # Keep the id that was requested, because some servers respond with a different one.
            jobs.append(replace(await retrieve(ref), ref=ref))
        except BackendError as error:
            if error.kind is not ErrorKind.GONE:
                raise
            lost = True
    hinted = matching_listing(jobs, request, complete=True)
    return replace(
        listing,
        refs=(*listing.refs, *hinted.refs),
        complete=listing.complete and not lost,
        echoes={**listing.echoes, **hinted.echoes},
    )


def _shows_newest(jobs: tuple[RemoteJob, ...], answered: tuple[AnsweredJob, ...]) -> bool:
    """Tell whether the list shows the newest known job.

    Servers forget the oldest jobs first. A list that shows only older jobs is therefore not
    complete. For example, it may begin with the oldest jobs and be cut off.
    """
    comparable = [each for each in answered if each.order.is_echoed]
    return bool(_shown(jobs, tuple(comparable[:1])))


def _shown(jobs: Iterable[RemoteJob], answered: tuple[AnsweredJob, ...]) -> list[RemoteJob]:
    """Return each known job whose entry in the list repeats the job's order correctly."""
    orders = {each.order.ref: each.order for each in answered if each.order.is_echoed}
    return [
        job
        for job in jobs
        if (order := orders.get(job.ref or ""))
        and order.is_of(job.echo)
        and not job.contradicts(order.request)
    ]


def _reaches_back(jobs: list[RemoteJob], earlier: tuple[AnsweredJob, ...]) -> bool:
    # Only a list that is sorted from newest to oldest is certain to contain every newer job.
    times = [job.created_at for job in jobs]
    dated = [moment for moment in times if moment is not None]
    if len(dated) < len(times) or any(above < below for above, below in pairwise(dated)):
        return False
    known = [job.created_at for job in _shown(jobs, earlier) if job.created_at is not None]
    return bool(known) and dated[-1] < max(known) - _SKEW_SECONDS
