"""OrphanCounter: counts the jobs at the provider that the bot has no record of."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.backends.base import AnsweredJob
from bot.backends.echo import Echo
from bot.errors import BackendError
from bot.jobs.remote.identity import is_described, order_of
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import Listing, VideoBackend
    from storage.jobs.listings import ListingStore
    from storage.jobs.remote_jobs import RemoteJobStore
    from storage.jobs.spent_refs import SpentRefs

log = logging.getLogger(__name__)

_FIRST_SECONDS = 60.0
_PAUSE_SECONDS = 60 * 60.0


class OrphanCounter:
    """Counts orphans every hour: jobs in the provider's list that the bot has no record of.

    They were started by create requests that the bot no longer tracks, or by other programs. The
    provider may have charged for them.
    """

    def __init__(
        self,
        *,
        remote_jobs: RemoteJobStore,
        listings: ListingStore,
        spent: SpentRefs,
        backend: VideoBackend,
        account: str,
        clock: Callable[[], float],
    ) -> None:
        self._remote_jobs = remote_jobs
        self._listings = listings
        self._spent = spent
        self._backend = backend
        self._account = account
        self._clock = clock

    async def run(self) -> None:
        """Count the orphans once an hour, until cancelled."""
        await asyncio.sleep(_FIRST_SECONDS)
        while True:
            try:
                await self.count()
            except BackendError as error:
                log.warning("orphans.uncounted error=%r", str(error))
            except StorageError:
                log.exception("orphans.uncounted")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def count(self) -> int | None:
        """Count the orphans once, and store their number.

        Returns None if the provider has no list of jobs. Raises BackendError if the provider can't
        be reached.
        """
        name, now = self._backend.name, self._clock()
        records = await self._remote_jobs.answered(name, self._account)
        answered = tuple(
            AnsweredJob(order=order_of(record), is_earlier=False) for record, _ in records
        )
        listing = await self._backend.find(None, answered=answered)
        if not listing.refs and not listing.complete:
            return None
        if listing.shows_own:
            await self._listings.record_shown(name, self._account, now=now)
        orphans = len(await self._unexplained(listing))
        await self._listings.record_count(
            name, self._account, orphans, is_whole=listing.complete, now=now
        )
        if orphans:
            log.warning("orphans.counted backend=%s jobs=%d", name, orphans)
        return orphans

    async def _unexplained(self, listing: Listing) -> list[str]:
        name = self._backend.name
        # The unanswered create requests are read before the jobs that have remote ids. In the
        # opposite order, a request that is answered between the two reads would appear in neither
        # result. Its job would then count as an orphan.
        begun = await self._remote_jobs.begun(name)
        holders = await self._remote_jobs.holders(name, listing.refs)
        spent = await self._spent.among(name, listing.refs)
        await self._spent.record_listed(name, spent, now=self._clock())

        def has_row(ref: str) -> bool:
            holder = holders.get(ref)
            echo = listing.echoes.get(ref, Echo())
            return ref in spent or (holder is not None and is_described(holder, echo))

        orphans: list[str] = []
        for ref in listing.refs:
            echo = listing.echoes.get(ref, Echo())
            fitting = (request for request in begun if not echo.contradicts(request))
            if has_row(ref):
                continue
            if (request := next(fitting, None)) is None:
                orphans.append(ref)
            else:
                begun.remove(request)  # a create request starts at most one job
        return orphans
