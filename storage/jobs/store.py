"""The table of jobs. Each write is one conditional statement that returns the changed rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.artifacts import UNGUIDED
from storage.errors import NotUniqueError
from storage.jobs import statements
from storage.jobs.caps import cap_columns
from storage.jobs.rows import found_job, jobs_found, key_of, order_columns, requester_columns
from storage.ledger.budgets import SAME_LENGTH, micros

if TYPE_CHECKING:
    from bot.artifacts import SubmittedVoice, VoiceUse
    from bot.model import Client, Failure, Job, JobState, Origin
    from storage.database import Database
    from storage.jobs.caps import Caps
    from storage.ledger.budgets import OrderedLength, Reservation


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Columns to set along with a new state. The defaults leave the columns unchanged."""

    remote_id: str | None = None
    remote_made_at: float | None = None
    echoes_order: bool = True
    generating_at: float | None = None
    deadline_at: float | None = None
    progress: int | None = None
    cost: float | None = None
    failure: Failure | None = None
    note: str | None = None
    card_gone: bool = False
    voice_is_free: bool = False
    voice_use: VoiceUse | None = None
    length: OrderedLength = SAME_LENGTH


class JobStore:
    """Reads and writes jobs. A write to a job that has changed does nothing and returns None."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, job: Job, caps: Caps, reservation: Reservation) -> Job | None:
        """Insert a job. Returns None if the job exists, or if a cap or budget is reached."""
        return await self._counting_one(
            statements.INSERT,
            now=job.created_at,
            **order_columns(job),
            **requester_columns(job.requester),
            **cap_columns(job.requester, caps, now=job.created_at),
            **reservation.columns,
        )

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        return await self._one("SELECT * FROM jobs WHERE id = :id", id=job_id)

    async def by_requester(self, requester: Origin | Client) -> Job | None:
        """Return the job that was created for an interaction, or for a client's idempotency key."""
        return await self._one(statements.BY_REQUESTER, **requester_columns(requester))

    async def move(
        self, job: Job, to: JobState, changes: Changes, *, next_at: float | None, now: float
    ) -> Job | None:
        """Move a job to another state.

        Returns None if the job has changed, or if another job has the new `remote_id`.
        """
        failure = changes.failure
        return await self._one_unless_taken(
            statements.MOVE,
            **key_of(job),
            to=to,
            next_at=next_at,
            now=now,
            **_identity(changes),
            generating_at=changes.generating_at,
            deadline_at=changes.deadline_at,
            progress=changes.progress,
            cost_usd=changes.cost,
            cost_micros=None if changes.cost is None else micros(changes.cost),
            failure_key=failure.key if failure else None,
            failure_fields=json.dumps(dict(failure.fields)) if failure else None,
            note=changes.note,
            voice_use=changes.voice_use,
            card_gone=int(changes.card_gone),
            voice_is_free=int(changes.voice_is_free),
            **changes.length.columns,
        )

    async def retry(self, job: Job, reservation: Reservation, *, now: float) -> Job | None:
        """Queue an undecided job again. Returns None if the job changed or a budget is reached."""
        return await self._counting_one(
            statements.RETRY, **key_of(job), now=now, **reservation.columns
        )

    async def write_prompt(self, job: Job, prompt: str, *, backend: str, now: float) -> Job | None:
        """Store the prompt that a queued job sends to a backend, unless one is stored already."""
        return await self._one(
            statements.WRITE_PROMPT,
            id=job.id,
            epoch=job.epoch,
            backend=backend,
            sent_prompt=prompt,
            fingerprint=replace(job.request, prompt=prompt).fingerprint,
            now=now,
        )

    async def begin_submit(
        self, job: Job, voice: SubmittedVoice = UNGUIDED, *, shows_length: bool, **to: str | float
    ) -> Job | None:
        """Mark a job as submitting. Returns None if a similar create request is unconfirmed.

        Two similar jobs are not marked at the same time, because each has to see the other.
        """
        try:
            return await self._counting_one(
                statements.BEGIN_SUBMIT,
                **key_of(job),
                **to,
                sent_prompt=job.sent_prompt,
                shows_length=int(shows_length),
                fingerprint=replace(job.sent_request, reference=voice.digest).fingerprint,
                voice_use=voice.use,
                voice_digest=voice.digest,
            )
        except NotUniqueError:
            return None

    async def postpone(
        self,
        job: Job,
        *,
        next_at: float,
        attempts: int,
        progress: int | None,
        late: bool,
        misses: int,
        now: float,
    ) -> Job | None:
        """Postpone a job's next step. The stored progress never decreases."""
        return await self._one(
            statements.POSTPONE,
            **key_of(job),
            next_at=next_at,
            attempts=attempts,
            progress=progress,
            late=int(late),
            misses=misses,
            now=now,
        )

    async def release(self, job: Job, *, now: float) -> Job | None:
        """Record that a job has no further step. If the job has ended, its token is deleted."""
        return await self._one(statements.RELEASE, **key_of(job), now=now)

    async def acknowledge(self, job_id: str, *, message_id: int, now: float) -> Job | None:
        """Store the message id of a job's card if none is stored yet, and make the job due."""
        return await self._one(statements.ACKNOWLEDGE, id=job_id, message_id=message_id, now=now)

    async def bind_cancelled(self, job: Job, changes: Changes, *, now: float) -> Job | None:
        """Store the remote id of a cancelled job, or return None if the job is not cancelled."""
        params = {"id": job.id, "now": now, **_identity(changes)}
        return await self._one_unless_taken(statements.BIND_CANCELLED, **params)

    async def intend_dm(self, job: Job, *, now: float) -> Job | None:
        """Store the intent to send a DM."""
        return await self._one(statements.INTEND_DM, id=job.id, epoch=job.epoch, now=now)

    async def wake_remote(self, backend: str, remote_id: str, *, now: float) -> Job | None:
        """Make the job with this remote id due now."""
        params = {"backend": backend, "remote_id": remote_id, "now": now}
        return await self._one(statements.WAKE_REMOTE, **params)

    async def wake_undecided(self, backend: str, *, now: float) -> list[Job]:
        """Make the undecided jobs of a backend due now. A webhook may be about one of them."""
        params = {"backend": backend, "now": now}
        return await jobs_found(self._database, statements.WAKE_UNDECIDED, params)

    async def queued(self) -> list[Job]:
        """List the jobs that are queued or on hold."""
        return await jobs_found(self._database, statements.QUEUED, {})

    async def wake_postponed_deliveries(self, *, now: float) -> int:
        """Make all postponed deliveries due now, and return their number."""
        return len(await self._database.rows(statements.WAKE_HELD, {"now": now}))

    async def delete_token(self, job_id: str) -> None:
        """Delete a job's interaction token."""
        await self._database.rows("UPDATE jobs SET token = NULL WHERE id = :id", {"id": job_id})

    async def mark_card_gone(self, job_id: str) -> None:
        """Record that a job's card can no longer be edited, so it can't show how the job ended."""
        await self._one(statements.MARK_CARD_GONE, id=job_id)

    async def prove_bot_access(self, job_id: str, *, bot_can_edit: bool) -> Job | None:
        """Record whether the bot can edit a card without the interaction token."""
        return await self._one(statements.PROVE_BOT_ACCESS, id=job_id, by_bot=int(bot_can_edit))

    async def editable_by_token_only(self) -> list[Job]:
        """List the jobs with a card that only the interaction token can edit."""
        return await jobs_found(self._database, statements.NOT_EDITABLE_BY_BOT, {})

    async def delete_expired_tokens(self, *, now: float) -> None:
        """Delete expired interaction tokens."""
        await self._database.rows(statements.DELETE_EXPIRED_TOKENS, {"now": now})

    async def counts(self) -> dict[tuple[str, str], int]:
        """Count the jobs by state and backend, except deleted ones."""
        rows = await self._database.rows(statements.COUNTS, {})
        return {(row["state"], row["backend"]): row["jobs"] for row in rows}

    async def _one(self, sql: str, **params: Any) -> Job | None:  # noqa: ANN401 - SQLite's values
        return found_job(await self._database.row(sql, params))

    async def _counting_one(self, sql: str, **params: Any) -> Job | None:  # noqa: ANN401 - same
        return found_job(await self._database.counting_row(sql, params))

    async def _one_unless_taken(self, sql: str, **params: Any) -> Job | None:  # noqa: ANN401
        """Run a statement. Returns None if it changes no row, or if it violates a unique index."""
        try:
            return await self._one(sql, **params)
        except NotUniqueError:
            return None


def _identity(changes: Changes) -> dict[str, Any]:
    return {
        "remote_id": changes.remote_id,
        "remote_made_at": changes.remote_made_at,
        "echoes_order": int(changes.echoes_order),
    }
