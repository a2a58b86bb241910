"""Searches a person's jobs, except deleted ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.model import JobState
from storage.jobs.rows import fold, job_from

if TYPE_CHECKING:
    from bot.model import Job
    from storage.database import Database

_SEARCH = """
FROM jobs
WHERE user_id = :user_id AND deleted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM json_each(:words) WHERE instr(prompt_folded, value) = 0)
    AND (CAST(:like_job AS TEXT) IS NULL OR prompt =
        (SELECT prompt FROM jobs WHERE id = :like_job AND user_id = :user_id))
"""

_COUNT = f"SELECT count(*) AS jobs {_SEARCH}"

_PAGE = f"""
SELECT * {_SEARCH}
ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
"""

_PROMPTS = f"""
SELECT id, prompt FROM (
    SELECT id, prompt, created_at, row_number() OVER (
        PARTITION BY prompt ORDER BY created_at DESC, id) AS age
    {_SEARCH}) AS found
WHERE age = 1 ORDER BY created_at DESC, id LIMIT :limit
"""  # noqa: S608 - built from constants

_BY_MESSAGE = """
SELECT * FROM jobs WHERE message_id = :message_id AND deleted_at IS NULL
"""

_OWN = """
SELECT * FROM jobs WHERE id = :id AND user_id = :user_id AND deleted_at IS NULL
"""

_STEPS = """
SELECT at, to_state FROM job_events WHERE job_id = :id ORDER BY at DESC, rowid DESC LIMIT :limit
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class LibrarySearch:
    """A search among a person's jobs, by their prompts.

    `words`: only jobs whose prompt contains all these words, in any order and case. A word may also
    be part of a longer word.
    `like_job`: if not None, only jobs with the same prompt as the job with this id.
    """

    user_id: int
    words: tuple[str, ...] = ()
    like_job: str | None = None

    def params(self) -> dict[str, Any]:
        """Return the search as SQL parameters."""
        return {
            "user_id": self.user_id,
            "words": json.dumps([fold(word) for word in self.words]),
            "like_job": self.like_job,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedPrompt:
    """A prompt, and the newest job with this prompt."""

    job_id: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StateChange:
    """The change of a job to a new state, and the Unix time of the change."""

    at: float
    state: JobState


class LibraryStore:
    """Reads the jobs that people ordered in Discord. It never writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, search: LibrarySearch) -> int:
        """Count the jobs that a search finds."""
        row = await self._database.row(_COUNT, search.params())
        return row["jobs"] if row else 0

    async def page(self, search: LibrarySearch, *, offset: int, limit: int) -> list[Job]:
        """List a page of the jobs that a search finds, newest first."""
        params = search.params() | {"offset": offset, "limit": limit}
        return [job_from(row) for row in await self._database.rows(_PAGE, params)]

    async def prompts(self, search: LibrarySearch, *, limit: int) -> list[UsedPrompt]:
        """List the distinct prompts that a search finds, most recently used first."""
        rows = await self._database.rows(_PROMPTS, search.params() | {"limit": limit})
        return [UsedPrompt(job_id=row["id"], text=row["prompt"]) for row in rows]

    async def by_message(self, message_id: int) -> Job | None:
        """Return the job whose card is this message, or None if there is none."""
        row = await self._database.row(_BY_MESSAGE, {"message_id": message_id})
        return job_from(row) if row else None

    async def own(self, job_id: str, user_id: int) -> Job | None:
        """Return a person's job, or None if it does not exist or belongs to another person."""
        row = await self._database.row(_OWN, {"id": job_id, "user_id": user_id})
        return job_from(row) if row else None

    async def steps(self, job_id: str, *, limit: int) -> list[StateChange]:
        """List a job's last state changes, oldest first."""
        rows = await self._database.rows(_STEPS, {"id": job_id, "limit": limit})
        return [
            StateChange(at=row["at"], state=JobState(row["to_state"])) for row in reversed(rows)
        ]
