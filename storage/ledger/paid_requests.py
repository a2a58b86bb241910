"""The paid requests that precede a job's create request: to the voice and to the prompt writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Job
    from storage.database import Database

# `_BEGIN_SPEAKING` and `_BEGIN_WRITING` are committed before their requests, each of which is sent
# only once.
_BEGIN_SPEAKING = """
UPDATE jobs SET voice_settled_micros = voice_reserved_micros, updated_at = :now
WHERE id = :id AND epoch = :epoch AND state = 'received'
    AND voice_reserved_micros <> 0 AND voice_settled_micros IS NULL
RETURNING id
"""
_HAS_BEGUN_SPEAKING = """
SELECT 1 FROM jobs
WHERE id = :id AND voice_reserved_micros <> 0 AND voice_settled_micros IS NOT NULL
"""
_BEGIN_WRITING = """
UPDATE jobs SET writer_settled_micros = writer_reserved_micros, updated_at = :now
WHERE id = :id AND epoch = :epoch AND state = 'queued'
    AND writer_reserved_micros <> 0 AND writer_settled_micros IS NULL
RETURNING id
"""

_WRITER_REFUSED = """
UPDATE jobs SET writer_settled_micros = 0, updated_at = :now
WHERE id = :id AND epoch = :epoch AND state = 'queued' AND writer_reserved_micros <> 0
"""


class PaidRequests:
    """Stores the price of a paid request before the request is sent."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def begin_speaking(self, job: Job) -> bool:
        """Record that the voice is about to be asked.

        Returns False if the voice was asked before, or if the job has changed.
        """
        return await self._database.row(_BEGIN_SPEAKING, self._params(job)) is not None

    async def has_begun_speaking(self, job: Job) -> bool:
        """Return whether the voice was asked, if the text has a price."""
        return await self._database.row(_HAS_BEGUN_SPEAKING, {"id": job.id}) is not None

    async def begin_writing(self, job: Job) -> bool:
        """Record that the prompt writer is about to be asked.

        Returns False if the writer was asked before, or if the job has changed.
        """
        return await self._database.row(_BEGIN_WRITING, self._params(job)) is not None

    async def record_refusal(self, job: Job) -> None:
        """Record that the writer has clearly refused the request, so the request costs nothing."""
        await self._database.rows(_WRITER_REFUSED, self._params(job))

    def _params(self, job: Job) -> dict[str, str | float]:
        return {"id": job.id, "epoch": job.epoch, "now": self._clock()}
