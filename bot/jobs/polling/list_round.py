"""ListRound: one reading of the provider's list, from its newest job to our oldest open one."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.backends.base import BackendUpdate, StatusPage
    from storage.jobs.polling.listed_jobs import PolledJob

#: The most jobs that a provider is asked for at once.
PAGE_JOBS = 100
# A reading ends after twice as many pages as our jobs would fill, plus these, because other
# programs may have jobs in the list.
_MORE_PAGES = 2
# The seconds by which the machines of one provider may disagree about the time.
_SKEW_SECONDS = 300.0


class ListRound:
    """The jobs that no page has shown yet, and the ref at which the next page begins."""

    def __init__(self, jobs: Iterable[PolledJob]) -> None:
        self._missing = {job.remote_id: job for job in jobs}
        #: The number of pages that our jobs alone would fill.
        self.pages = -(-len(self._missing) // PAGE_JOBS)
        #: The ref after which the next page begins.
        self.after: str | None = None
        self.is_over = not self._missing
        self._read = 0
        self._previous: frozenset[str] = frozenset()

    def take(self, page: StatusPage) -> list[tuple[PolledJob, BackendUpdate]]:
        """Return our jobs on a page, each at its first appearance.

        If an id occurs twice on a page, it names two jobs, of which neither is certainly ours.
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
            # A server that ignores `after` repeats its first page.
            or counts.keys() <= self._previous
            or self._is_past_oldest(page)
        )
        self._previous = frozenset(counts)
        return found

    def _is_past_oldest(self, page: StatusPage) -> bool:
        """Return whether a list sorted by time has already passed our oldest job."""
        made = [job.made_at for job in self._missing.values()]
        listed = [update.echo.created_at for update in page.updates]
        ours = [moment for moment in made if moment is not None]
        theirs = [moment for moment in listed if moment is not None]
        if not theirs or len(ours) < len(made) or len(theirs) < len(listed):
            return False
        is_sorted = all(above >= below for above, below in pairwise(theirs))
        return is_sorted and theirs[-1] < min(ours) - _SKEW_SECONDS
