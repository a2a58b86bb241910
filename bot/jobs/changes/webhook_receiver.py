"""WebhookReceiver: stores verified webhooks, and makes their jobs due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.jobs.changes.publisher import ChangePublisher
    from bot.pacing import WatchedClock
    from storage.jobs.inbox import Inbox
    from storage.jobs.store import JobStore


class WebhookReceiver:
    """Wakes the jobs that webhooks name, even if a webhook arrives before its job is bound."""

    def __init__(
        self, store: JobStore, inbox: Inbox, changes: ChangePublisher, *, clock: WatchedClock
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._changes = changes
        self._clock = clock

    async def receive(self, *, backend: str, webhook_id: str, remote_id: str) -> bool:
        """Store a verified webhook and make its job due; False: the webhook is a repetition."""
        new, woken = await self._inbox.add(
            backend=backend, webhook_id=webhook_id, remote_id=remote_id, now=self._clock()
        )
        if new and self._changes.publish(woken) is None:
            # The webhook may name the remote job of an undecided job, whose create request got no
            # response.
            for job in await self._store.wake_undecided(backend, now=self._clock()):
                self._changes.publish(job)
        return new

    async def wake_if_received(self, backend: str, remote_id: str) -> None:
        """Make a newly bound job due now if an earlier webhook has named its remote job."""
        if await self._inbox.has(backend, remote_id):
            job = await self._store.wake_remote(backend, remote_id, now=self._clock())
            self._changes.publish(job)

    async def sweep(self) -> None:
        """Delete webhooks that are so old that the provider no longer repeats them."""
        if not self._clock.is_unsettled:  # a later sweep deletes them if the clock is unsettled
            await self._inbox.sweep(now=self._clock.conservative())
