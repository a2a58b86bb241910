"""ChangeRelay: notifies other processes of changes to jobs, and receives their notifications."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from bot.model import JobChanged, JobState
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.events import EventBus
    from bot.jobs.circuit_breaker import CircuitBreaker
    from storage.jobs.store import JobStore

log = logging.getLogger(__name__)


class ChangeRelay:
    """Sends each committed change as a short text, and publishes the changes of other processes.

    A text may be lost, or arrive late: it only says that a job should be read again. After a change
    of outlook, the circuit is also read again.
    """

    def __init__(
        self,
        bus: EventBus,
        store: JobStore,
        circuit: CircuitBreaker,
        *,
        send: Callable[[str], None],
    ) -> None:
        self._bus = bus
        self._store = store
        self._circuit = circuit
        self._send = send

    def on_job_changed(self, event: JobChanged) -> None:
        """Send a change that this process has committed."""
        self._send(json.dumps([event.job.id, event.previous, event.outlook_only]))

    async def receive(self, text: str) -> None:
        """Publish a change that another process has made, with the job as it is now."""
        try:
            job_id, previous, outlook_only = json.loads(text)
            was = None if previous is None else JobState(previous)
            if outlook_only is True:
                await self._circuit.refresh()
            # The job is read last, so that no newer event about it was published before this one.
            job = await self._store.get(str(job_id))
        except (ValueError, TypeError, RecursionError):
            # Any program that may use the database can send texts.
            log.warning("relay.unreadable text=%r", text[:100])
        except StorageError as error:
            log.info("relay.unread error=%r", str(error))
        else:
            if job is not None:
                event = JobChanged(job=job, previous=was, outlook_only=outlook_only is True)
                self._bus.publish_foreign(event)
