"""ListRound: reads the provider's list once, from its newest job to our oldest open job."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.backends.base import BackendUpdate, StatusPage
    from storage.jobs.polling.listed_jobs import PolledJob

#: The maximum number of jobs on a page, as the bot requests it.
PAGE_JOBS = 100
# The bot reads up to twice as many pages as our own jobs would fill, plus this number. Other
# programs may have jobs in the same list.
_MORE_PAGES = 2
# The number of seconds by which the clocks of a provider's machines may differ.
_SKEW_SECONDS = 300.0


class ListRound:
    """Keeps track of the jobs that no page has shown yet, and of where the next page begins."""

    def __init__(self, jobs: Iterable[PolledJob]) -> None:
        self._missing = {job.remote_id: job for job in jobs}
        #: The number of pages that our own jobs would fill.
        self.pages = -(-len(self._missing) // PAGE_JOBS)
        #: The remote id after which the next page begins.
        self.after: str | None = None
        self.is_over = not self._missing
        self._read = 0
        self._previous: frozenset[str] = frozenset()

    def take(self, page: StatusPage) -> list[tuple[PolledJob, BackendUpdate]]:
        """Return our jobs on a page, without those that an earlier page has shown.

        If an id occurs twice on the page, the job is left out. Two remote jobs have this id, and it
        is uncertain which of them is ours.
        """
        counts = Counter(update.ref for update in page.updates)
        found = [
            (job, update)
            for update in page.updates
            if (job := self._missing.pop(update.ref, None)) and counts[update.ref] == 1
        ]
        self._read += 1
        self.after = page.after
        self.is_over = (
            page.after is None
            or not self._missing
            or self._read >= 2 * self.pages + _MORE_PAGES
            # If a server ignores `after`, it sends the first page again and again.
            or counts.keys() <= self._previous
            or self._is_past_oldest(page)
        )
        self._previous = frozenset(counts)
        return found

    def _is_past_oldest(self, page: StatusPage) -> bool:
        """Return whether all further pages can only show jobs that are older than all of ours.

        This can be known only if the list is sorted by time.
        """
        made = [job.made_at for job in self._missing.values()]
        listed = [update.echo.created_at for update in page.updates]
        ours = [moment for moment in made if moment is not None]
        theirs = [moment for moment in listed if moment is not None]
        if not theirs or len(ours) < len(made) or len(theirs) < len(listed):
            return False
        is_sorted = all(above >= below for above, below in pairwise(theirs))
        return is_sorted and theirs[-1] < min(ours) - _SKEW_SECONDS
