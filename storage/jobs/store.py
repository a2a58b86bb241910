"""The table of jobs: every write is one conditional statement that returns the row, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storage.jobs import statements
from storage.jobs.circuits import HELD_SECONDS
from storage.jobs.rows import job_from, requester_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.model import Caps, Client, Failure, Job, JobState, Origin
    from storage.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class CapUsage:
    """How much of the caps is used up."""

    open_of_user: int
    open_in_all: int
    today: int


_DAY = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What a move may set beside the state; None, or False, leaves a column as it is."""

    remote_id: str | None = None
    generating_at: float | None = None
    deadline_at: float | None = None
    progress: int | None = None
    cost: float | None = None
    failure: Failure | None = None
    note: str | None = None
    card_gone: bool = False


class JobStore:
    """Reads and writes jobs; a write that comes too late changes nothing and returns None."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, job: Job, caps: Caps) -> Job | None:
        """Insert a job in `received` if the caps allow it and its asker has not asked before."""
        attachment = job.attachment
        return await self._one(
            statements.INSERT,
            id=job.id,
            next_at=job.next_at,
            now=job.created_at,
            backend=job.backend,
            prompt=job.request.prompt,
            model=job.request.model,
            seconds=job.request.seconds,
            size=job.request.size,
            fingerprint=job.request.fingerprint,
            **requester_columns(job.asker),
            attachment_name=attachment.filename if attachment else None,
            attachment_size=attachment.size if attachment else None,
            attachment_url=attachment.url if attachment else None,
            attachment_text=attachment.text if attachment else None,
            narration_of=job.narration_of,
            clip_of=job.clip_of,
            day_ago=job.created_at - _DAY,
            max_of_user=caps.open_per_user,
            max_in_all=caps.open_in_all,
            max_today=caps.per_day,
        )

    async def usage(self, asker: Origin | Client, *, now: float) -> CapUsage:
        """Count what the caps count."""
        params = requester_columns(asker) | {"day_ago": now - _DAY}
        row = await self._database.row(statements.USAGE, params)
        return CapUsage(**dict(row)) if row else CapUsage(open_of_user=0, open_in_all=0, today=0)

    async def room_at(self, per_day: int, *, now: float) -> float:
        """Tell when the day's cap will take one more, as far as is known now."""
        params = {"day_ago": now - _DAY, "cap": per_day}
        row = await self._database.row(statements.LEAVING, params)
        return row["created_at"] + _DAY if row else now

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        return await self._one("SELECT * FROM jobs WHERE id = :id", id=job_id)

    async def by_requester(self, asker: Origin | Client) -> Job | None:
        """Read the job that an interaction, or a client's key, has made."""
        return await self._one(statements.BY_ASKER, **requester_columns(asker))

    async def claim(
        self,
        states: Iterable[JobState],
        *,
        backend: str,
        client: str | None,
        clients_only: bool,
        running: Collection[str],
        limit: int,
        now: float,
    ) -> list[Job]:
        """Take up to `limit` due jobs, leaving out those that are `running`; raises epochs.

        What was submitted to another backend than `backend` is left alone, and so is what waits
        behind an open circuit. With a `client` everything else is left alone, and with
        `clients_only` all that comes from Discord.
        """
        return await self._many(
            statements.CLAIM,
            states=json.dumps(list(states)),
            backend=backend,
            client=client,
            clients_only=int(clients_only),
            running=json.dumps(list(running)),
            limit=limit,
            now=now,
            held_since=now - HELD_SECONDS,
        )

    async def next_due(
        self,
        states: Iterable[JobState],
        *,
        backend: str,
        client: str | None,
        clients_only: bool,
        running: Collection[str],
        now: float,
    ) -> float | None:
        """Tell when the next job that is not `running` will be due, but for those that are held."""
        row = await self._database.row(
            statements.NEXT_DUE,
            {
                "states": json.dumps(list(states)),
                "backend": backend,
                "client": client,
                "clients_only": int(clients_only),
                "running": json.dumps(list(running)),
                "now": now,
                "held_since": now - HELD_SECONDS,
            },
        )
        return row["next_at"] if row else None

    async def move(
        self, job: Job, to: JobState, changes: Changes, *, next_at: float | None, now: float
    ) -> Job | None:
        """Put a job into another state."""
        failure = changes.failure
        return await self._one(
            statements.MOVE,
            **_key(job),
            to=to,
            next_at=next_at,
            now=now,
            remote_id=changes.remote_id,
            generating_at=changes.generating_at,
            deadline_at=changes.deadline_at,
            progress=changes.progress,
            cost_usd=changes.cost,
            failure_key=failure.key if failure else None,
            failure_fields=json.dumps(dict(failure.fields)) if failure else None,
            note=changes.note,
            card_gone=int(changes.card_gone),
        )

    async def write_prompt(self, job: Job, prompt: str, *, backend: str, now: float) -> Job | None:
        """Store what a backend is sent in place of a queued job's prompt, once."""
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
        self, job: Job, *, backend: str, create_key: str, now: float
    ) -> Job | None:
        """Commit the intent to spend, unless a create just like it is in doubt."""
        return await self._one(
            statements.BEGIN_SUBMIT, **_key(job), backend=backend, create_key=create_key, now=now
        )

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
        """Leave a job in its state until later; progress never falls."""
        return await self._one(
            statements.POSTPONE,
            **_key(job),
            next_at=next_at,
            attempts=attempts,
            progress=progress,
            late=int(late),
            misses=misses,
            now=now,
        )

    async def release(self, job: Job, *, now: float) -> Job | None:
        """Say that nothing more is due for a job, and forget the token of an ended one."""
        return await self._one(statements.RELEASE, **_key(job), now=now)

    async def acknowledge(self, job_id: str, *, message_id: int, now: float) -> Job | None:
        """Store the message of a job, once; a job that ended meanwhile shows that on it."""
        return await self._one(statements.ACKNOWLEDGE, id=job_id, message_id=message_id, now=now)

    async def tie_cancelled(self, job: Job, remote_id: str, *, now: float) -> Job | None:
        """Note which remote job a cancelled one has after all; None: it was not cancelled."""
        return await self._one(statements.TIE_CANCELLED, id=job.id, remote_id=remote_id, now=now)

    async def intend_dm(self, job: Job, *, now: float) -> Job | None:
        """Note that a DM is about to be sent."""
        return await self._one(statements.INTEND_DM, id=job.id, epoch=job.epoch, now=now)

    async def wake_remote(self, backend: str, remote_id: str, *, now: float) -> Job | None:
        """Make the job of a remote id due at once."""
        return await self._one(
            statements.WAKE_REMOTE, backend=backend, remote_id=remote_id, now=now
        )

    async def wake_undecided(self, backend: str, *, now: float) -> list[Job]:
        """Make the undecided jobs of a backend due at once: there is news."""
        return await self._many(statements.WAKE_UNDECIDED, backend=backend, now=now)

    async def in_line(self) -> list[Job]:
        """List the jobs that wait to be submitted."""
        return await self._many(statements.IN_LINE)

    async def wake_held(self, *, now: float) -> list[Job]:
        """Make every delivery that waits for something due at once."""
        return await self._many(statements.WAKE_HELD, now=now)

    async def forget_token(self, job_id: str) -> None:
        """Null one interaction token."""
        await self._database.rows("UPDATE jobs SET token = NULL WHERE id = :id", {"id": job_id})

    async def mark_card_gone(self, job_id: str) -> None:
        """Store that a job's card can't show its end."""
        await self._one(statements.MARK_CARD_GONE, id=job_id)

    async def prove_bot_access(self, job_id: str, *, by_bot: bool) -> Job | None:
        """Store whether the bot itself can edit a card, once that is known."""
        return await self._one(statements.PROVE_BOT_ACCESS, id=job_id, by_bot=int(by_bot))

    async def editable_by_token_only(self) -> list[Job]:
        """List the jobs that have a card and a token, where the bot itself can't edit."""
        return await self._many(statements.BEYOND_THE_BOT)

    async def forget_tokens(self, *, now: float) -> None:
        """Null the interaction tokens that Discord takes no more."""
        await self._database.rows(statements.FORGET_TOKENS, {"now": now})

    async def counts(self) -> dict[tuple[str, str], int]:
        """Count the jobs by state and backend; deleted ones are left out."""
        rows = await self._database.rows(statements.COUNTS, {})
        return {(row["state"], row["backend"]): row["jobs"] for row in rows}

    async def _one(self, sql: str, **params: Any) -> Job | None:  # noqa: ANN401 - SQLite's values
        row = await self._database.row(sql, params)
        return job_from(row) if row else None

    async def _many(self, sql: str, **params: Any) -> list[Job]:  # noqa: ANN401 - SQLite's values
        return [job_from(row) for row in await self._database.rows(sql, params)]


def _key(job: Job) -> dict[str, Any]:
    return {"id": job.id, "epoch": job.epoch, "was": job.state}
