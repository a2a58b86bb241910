"""Reads a server's listing of jobs page by page, and knows whether it has seen all of it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.backends.answers import Page, RemoteJob


async def jobs_since(
    since: float, page_after: Callable[[str | None], Awaitable[Page | None]], *, max_pages: int
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


def is_older(job: RemoteJob, since: float) -> bool:
    """Whether the job says that it was made before `since`."""
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
