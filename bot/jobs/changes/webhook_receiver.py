"""WebhookReceiver: stores each verified webhook, and makes its job due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.jobs.changes.publisher import ChangePublisher
    from bot.pacing import WatchedClock
    from storage.jobs.inbox import Inbox
    from storage.jobs.store import JobStore


class WebhookReceiver:
    """Stores webhooks, and makes their jobs due. A webhook may arrive before its job is known."""

    def __init__(
        self, store: JobStore, inbox: Inbox, changes: ChangePublisher, *, clock: WatchedClock
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._changes = changes
        self._clock = clock

    async def receive(self, *, backend: str, webhook_id: str, remote_id: str) -> bool:
        """Store a verified webhook and make its job due.

        Returns False if the webhook is a repetition of an earlier one.
        """
        new, woken = await self._inbox.add(
            backend=backend, webhook_id=webhook_id, remote_id=remote_id, now=self._clock()
        )
        if new and self._changes.publish(woken) is None:
            # No job has this remote id. The webhook may be about an undecided job, whose create
            # request got no response.
            for job in await self._store.wake_undecided(backend, now=self._clock()):
                self._changes.publish(job)
        return new

    async def wake_if_received(self, backend: str, remote_id: str) -> None:
        """Make a job due now if its webhook arrived before its remote id was stored."""
        if await self._inbox.has(backend, remote_id):
            job = await self._store.wake_remote(backend, remote_id, now=self._clock())
            self._changes.publish(job)

    async def sweep(self) -> None:
        """Delete the webhooks that are too old to be repeated by the provider."""
        if not self._clock.is_unsettled:  # otherwise, a later sweep deletes them
            await self._inbox.sweep(now=self._clock.conservative())
