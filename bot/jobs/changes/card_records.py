"""CardRecords: stores what is needed to find and edit a job's card, and to send its DM once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.changes.publisher import ChangePublisher
    from bot.model import Job
    from storage.jobs.store import JobStore


class CardRecords:
    """Reads and writes the fields of a job that concern its card, interaction token and DM."""

    def __init__(
        self, store: JobStore, changes: ChangePublisher, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock

    async def delete_token(self, job_id: str) -> None:
        """Delete an interaction token that Discord no longer accepts."""
        await self._store.delete_token(job_id)

    async def mark_card_gone(self, job_id: str) -> None:
        """Record that the card can't show how the job ended. The library shows that instead."""
        await self._store.mark_card_gone(job_id)

    async def prove_bot_access(self, job_id: str, *, bot_can_edit: bool) -> None:
        """Record whether the bot can edit a card without the interaction token."""
        self._changes.publish(await self._store.prove_bot_access(job_id, bot_can_edit=bot_can_edit))

    async def editable_by_token_only(self) -> list[Job]:
        """List the jobs whose cards can be edited only with their stored interaction tokens."""
        return await self._store.editable_by_token_only()

    async def intend_dm(self, job: Job) -> Job | None:
        """Store the intent to send the job's only DM, before the DM is sent."""
        return await self._store.intend_dm(job, now=self._clock())
