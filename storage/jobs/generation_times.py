"""GenerationTimes: reads how long the provider took to generate similar videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model import Job
    from storage.database import Database

# Only recent jobs count, because providers become faster or slower over time.
# A clip that is twice as long usually takes twice as long.
_RECENT = """
SELECT generated_seconds * :seconds / seconds AS seconds FROM jobs
WHERE backend = :backend AND size = :size AND model {is_model}
    AND generated_seconds IS NOT NULL
ORDER BY created_at DESC LIMIT 20
"""
_RECENT_OF_MODEL = _RECENT.format(is_model="= :model")
_RECENT_WITHOUT_MODEL = _RECENT.format(is_model="IS NULL")


class GenerationTimes:
    """Reads how long the last 20 jobs with the same backend, model and size took.

    Each time is scaled to the length of the clip whose time is to be estimated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recent(self, job: Job) -> tuple[float, ...]:
        """Return how many seconds each job took, in ascending order."""
        request = job.request
        rows = await self._database.rows(
            _RECENT_WITHOUT_MODEL if request.model is None else _RECENT_OF_MODEL,
            {
                "backend": job.backend,
                "model": request.model,
                "seconds": request.seconds,
                "size": request.size,
            },
        )
        return tuple(sorted(row["seconds"] for row in rows))
