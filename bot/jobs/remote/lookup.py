"""RemoteLookup: looks for an unconfirmed job at the provider, or for proof that it was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.backends.base import AnsweredJob, BackendUpdate, RemoteState
from bot.backends.echo import Echo
from bot.jobs.remote.identity import is_described, order_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import Listing, VideoBackend
    from bot.model import Job
    from storage.jobs.listings import ListingStore
    from storage.jobs.remote_jobs import RemoteJobStore
    from storage.jobs.spent_refs import SpentRefs
    from storage.jobs.unconfirmed import UnconfirmedStore

_DAY = 24 * 60 * 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """The remote jobs that an unconfirmed create request may have started.

    `proves_absence`: whether the search was complete, so that a job that was not found doesn't
    exist.
    `is_ambiguous`: whether it is uncertain which of these the create request has started.
    """

    found: tuple[BackendUpdate, ...]
    proves_absence: bool
    is_ambiguous: bool

    @property
    def match(self) -> BackendUpdate | None:
        """The remote job that the create request is certain to have started, or None."""
        return None if self.is_ambiguous or not self.found else self.found[0]


class RemoteLookup:
    """Searches the provider's job list and the remote ids that webhooks have named.

    `account`: a keyed hash of the provider's address and the API key.
    """

    def __init__(
        self,
        *,
        unconfirmed: UnconfirmedStore,
        remote_jobs: RemoteJobStore,
        listings: ListingStore,
        spent: SpentRefs,
        backend: VideoBackend,
        account: str,
        clock: Callable[[], float],
    ) -> None:
        self._unconfirmed = unconfirmed
        self._remote_jobs = remote_jobs
        self._listings = listings
        self._spent = spent
        self._backend = backend
        self._account = account
        self._clock = clock

    async def has_hints(self, job: Job) -> bool:
        """Return whether a webhook has named a remote id that belongs to none of our jobs."""
        is_ours = job.backend == self._backend.name
        return is_ours and bool(await self._unconfirmed.unclaimed(job.backend))

    async def candidates(self, job: Job) -> Candidates:
        """Ask the provider for remote jobs that may belong to this job and belong to no other."""
        hints = await self._unconfirmed.unclaimed(job.backend)
        answered = await self._answered(job)
        listing = await self._backend.find(job.sent_request, hints=hints, answered=answered)
        proves_absence = await self._proves_absence(listing, answered)
        # The other unconfirmed jobs are read before the jobs that have remote ids. In the opposite
        # order, a job that gets its remote id between the two reads would appear in neither result.
        # Its remote job would then seem to belong to none of our jobs.
        rivals = await self._unconfirmed.rivals(job, since=self._clock() - _DAY)
        refs, doubtful = await self._unbound(job, listing)
        # If the list doesn't show a candidate's prompt and length, the candidate may belong to
        # another unconfirmed job, even if it is the only one.
        may_be_rivals = any(
            _may_be_of(listing.echoes.get(ref, Echo()), rival, job)
            for ref in refs
            for rival in rivals
        )
        return Candidates(
            found=tuple(
                BackendUpdate(
                    ref=ref, state=RemoteState.RUNNING, echo=listing.echoes.get(ref, Echo())
                )
                for ref in refs
            ),
            proves_absence=proves_absence,
            is_ambiguous=doubtful or len(refs) > 1 or may_be_rivals,
        )

    async def _answered(self, job: Job) -> tuple[AnsweredJob, ...]:
        rows = await self._remote_jobs.answered(job.backend, self._account, job_id=job.id)
        return tuple(
            AnsweredJob(order=order_of(record), is_earlier=is_earlier)
            for record, is_earlier in rows
        )

    async def _proves_absence(self, listing: Listing, answered: tuple[AnsweredJob, ...]) -> bool:
        """Return whether a job can't exist if it is missing from the list.

        A list is trusted only if it shows, or has recently shown, a job that it must contain. It is
        not trusted if the provider reuses ids, because another job may have replaced the missing
        one.
        """
        now, name = self._clock(), self._backend.name
        if await self._remote_jobs.has_reused_ids(name, self._account):
            return False
        if listing.shows_own:
            await self._listings.record_shown(name, self._account, now=now)
            return listing.complete
        if not listing.complete:
            return False
        if self._backend.capabilities.own_list:
            return True
        return not answered and await self._listings.was_shown(
            name, self._account, since=now - _DAY, now=now
        )

    async def _unbound(self, job: Job, listing: Listing) -> tuple[list[str], bool]:
        """Return the listed ids that belong to no job of ours, and whether any id is in doubt."""
        holders = await self._remote_jobs.holders(job.backend, listing.refs)
        spent = await self._spent.among(job.backend, listing.refs)
        free: list[str] = []
        is_doubtful = False
        for ref in listing.refs:
            holder = holders.get(ref)
            if holder is None:
                free += [] if ref in spent else [ref]
            elif not is_described(holder, listing.echoes.get(ref, Echo())):
                # The server has given the id of one of our jobs to another job.
                is_doubtful |= holder.is_open
                free += [] if holder.is_open else [ref]
        return free, is_doubtful


def _may_be_of(echo: Echo, rival: Job, job: Job) -> bool:
    """Return whether a remote job may belong to a rival job that has a different order."""
    if rival.deleted_at is not None:  # its prompt is gone, so only the format can be compared
        return not echo.contradicts_format(rival.request)
    ours, theirs = job.sent_request, rival.sent_request
    # It does not matter to which of two identical orders a video belongs.
    return ours.fingerprint != theirs.fingerprint and not echo.contradicts(theirs)
