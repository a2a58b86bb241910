"""TakeDown: lets the operator remove all videos and cards of a person."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.access.audit import AuditEntry
from storage.access.settings import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.jobs.service import JobService
    from bot.library.retention import Retention
    from storage.access.audit import AuditStore
    from storage.retention import RetentionStore

log = logging.getLogger(__name__)

# The name of this event in the audit.
_EVENT = "removal"


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenDown:
    """The result of removing a person's videos: the numbers of deleted jobs and cards.

    `cards_left`: the number of cards that could not be deleted. `open_jobs`: the number of jobs
    that must end before they can be deleted.
    """

    jobs: int
    cards: int
    cards_left: int
    open_jobs: int


class TakeDown:
    """Deletes a person's jobs, the jobs' files and the jobs' cards.

    Links to the videos stop working.
    `delete_message`: deletes a message, given the IDs of the channel and the message. It must
    return False if the message still exists.
    """

    def __init__(
        self,
        store: RetentionStore,
        retention: Retention,
        jobs: JobService,
        audit: AuditStore,
        *,
        delete_message: Callable[[int, int], Awaitable[bool]],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._retention = retention
        self._jobs = jobs
        self._audit = audit
        self._delete_message = delete_message
        self._clock = clock

    async def remove(self, user_id: int, *, actor: int | None) -> TakenDown:
        """Cancel a person's open jobs, and delete all others.

        Call this again to delete the jobs and cards that are left.
        """
        await self._audit.record(
            AuditEntry(
                at=self._clock(),
                scope=EVERYWHERE,
                name=_EVENT,
                target=user_id,
                value=None,
                actor=actor,
            )
        )
        for job in await self._store.jobs_of(user_id, now=self._clock()):
            if not job.is_deletable:
                await self._jobs.cancel(job.job_id)
        # Otherwise, a text that is read aloud would be sent to a service that the person declined.
        deletion = await self._retention.delete_all(user_id, keeps_refusals=True)
        deleted = [
            await self._delete_message(card.channel_id, card.message_id)
            for card in await self._store.cards_of(user_id)
        ]
        done = TakenDown(
            jobs=deletion.deleted,
            cards=deleted.count(True),
            cards_left=deleted.count(False),
            open_jobs=deletion.open_jobs,
        )
        log.info(
            "person.taken_down user=%d jobs=%d cards=%d left=%d open=%d",
            user_id,
            done.jobs,
            done.cards,
            done.cards_left,
            done.open_jobs,
        )
        return done
