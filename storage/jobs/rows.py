"""Converts rows of the jobs table to the types in `bot.model`, and requesters to columns.

SQLite keeps each prepared statement in memory. A statement that returns all columns of jobs takes
45 KB more than one that returns their ids. Therefore, statements that usually find no job, such as
those of each start, return ids, and `jobs_found` reads the jobs.
"""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

from bot.artifacts import OrderedVoice, VoiceUse
from bot.model import Attachment, Client, Failure, HoldReason, Job, JobState, Origin, VideoRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.database import Database, Row

_BY_IDS = "SELECT * FROM jobs WHERE id IN (SELECT value FROM json_each(:ids))"

_REQUESTER_COLUMNS = (
    "interaction_id",
    "application_id",
    "user_id",
    "guild_id",
    "home_id",
    "card_language",
    "is_spoiler",
    "notify_default",
    "channel_id",
    "locale",
    "token",
    "token_until",
    "upload_limit",
    "by_bot",
    "by_bot_unproven",
    "message_id",
    "client",
    "client_key",
    "client_digest",
)


def job_from(found: Row) -> Job:
    """Convert a row of the jobs table to a `Job`."""
    # SQLite's rows search all columns for each name, which takes twice as long.
    row = {name: found[number] for number, name in enumerate(found.keys())}
    return Job(
        id=row["id"],
        state=JobState(row["state"]),
        epoch=row["epoch"],
        attempts=row["attempts"],
        next_at=row["next_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        backend=row["backend"],
        request=VideoRequest(
            prompt=row["prompt"],
            model=row["model"],
            seconds=row["seconds"],
            size=row["size"],
            reference=row["voice_digest"],
        ),
        requester=_requester(row),
        attachment=_attachment(row),
        narration_of=row["narration_of"],
        clip_of=row["clip_of"],
        clip_has_voice=bool(row["clip_has_voice"]),
        voice=_voice(row),
        sent_prompt=row["sent_prompt"],
        create_key=row["create_key"],
        submitted_at=row["submitted_at"],
        submits=row["submits"],
        misses=row["misses"],
        remote_id=row["remote_id"],
        generating_at=row["generating_at"],
        deadline_at=row["deadline_at"],
        late=bool(row["late"]),
        progress=row["progress"],
        cost=row["cost_usd"],
        micros=sum(_micros(row, part) for part in ("", "voice_", "writer_")),
        voice_is_unasked=row["voice_reserved_micros"] > 0 and row["voice_settled_micros"] is None,
        writer_costs=row["writer_reserved_micros"] > 0,
        dm_intent_at=row["dm_intent_at"],
        hold=HoldReason(row["hold"]) if row["hold"] else None,
        held_since=row["held_since"],
        failure=_failure(row),
        note=row["note"],
        card_gone=bool(row["card_gone"]),
        deleted_at=row["deleted_at"],
    )


def found_job(row: Row | None) -> Job | None:
    """Convert a row of the jobs table to a `Job`, or return None if `row` is None."""
    return job_from(row) if row else None


async def jobs_found(database: Database, sql: str, params: Mapping[str, Any]) -> list[Job]:
    """Run a statement that returns ids of jobs, and read these jobs."""
    ids = [row["id"] for row in await database.rows(sql, params)]
    if not ids:
        return []
    return [job_from(row) for row in await database.rows(_BY_IDS, {"ids": json.dumps(ids)})]


def key_of(job: Job) -> dict[str, Any]:
    """Return the parameters that restrict a statement to a job whose row is unchanged."""
    return {"id": job.id, "epoch": job.epoch, "was": job.state}


def _micros(row: Mapping[str, Any], part: str) -> int:
    settled: int | None = row[f"{part}settled_micros"]
    return row[f"{part}reserved_micros"] if settled is None else settled


def _requester(row: Mapping[str, Any]) -> Origin | Client:
    if row["client"] is not None:
        return Client(name=row["client"], key=row["client_key"], digest=row["client_digest"])
    return Origin(
        interaction_id=row["interaction_id"],
        application_id=row["application_id"],
        user_id=row["user_id"],
        guild_id=row["guild_id"],
        home_id=row["home_id"],
        card_language=row["card_language"],
        is_spoiler=bool(row["is_spoiler"]),
        notify_default=row["notify_default"],
        channel_id=row["channel_id"],
        locale=row["locale"],
        token=row["token"],
        token_until=row["token_until"],
        upload_limit=row["upload_limit"],
        bot_can_edit=bool(row["by_bot"]),
        bot_access_unproven=bool(row["by_bot_unproven"]),
        message_id=row["message_id"],
    )


def _attachment(row: Mapping[str, Any]) -> Attachment | None:
    if row["attachment_name"] is None:
        return None
    return Attachment(
        url=row["attachment_url"],
        filename=row["attachment_name"],
        size=row["attachment_size"],
        text=row["attachment_text"],
    )


def _voice(row: Mapping[str, Any]) -> OrderedVoice:
    use = VoiceUse(row["voice_use"]) if row["voice_use"] else None
    return OrderedVoice(use=use, service=row["voice_service"])


def _failure(row: Mapping[str, Any]) -> Failure | None:
    if row["failure_key"] is None:
        return None
    return Failure(key=row["failure_key"], fields=json.loads(row["failure_fields"]))


def queue_server_of(requester: Origin | Client) -> str:
    """Return the server that a requester's jobs count towards, as stored in `queue_server`."""
    if isinstance(requester, Client):
        return f"client:{requester.name}"
    server_id = requester.home_id or requester.guild_id
    return "dm" if server_id is None else f"server:{server_id}"


def fold(text: str) -> str:
    """Normalise a text for a search that ignores case, width and the encoding of accents."""
    return unicodedata.normalize("NFKC", text).casefold()


def order_columns(job: Job) -> dict[str, Any]:
    """Return the column values that describe what a new job orders."""
    attachment = job.attachment
    return {
        "id": job.id,
        "next_at": job.next_at,
        "backend": job.backend,
        "prompt": job.request.prompt,
        "prompt_folded": fold(job.request.prompt),
        "model": job.request.model,
        "seconds": job.request.seconds,
        "size": job.request.size,
        "fingerprint": job.request.fingerprint,
        "attachment_name": attachment.filename if attachment else None,
        "attachment_size": attachment.size if attachment else None,
        "attachment_url": attachment.url if attachment else None,
        "attachment_text": attachment.text if attachment else None,
        "narration_of": job.narration_of,
        "clip_of": job.clip_of,
        "voice_use": job.voice.use,
        "voice_service": job.voice.service,
    }


def requester_columns(requester: Origin | Client) -> dict[str, Any]:
    """Return the column values that describe a requester, either a person or an API client."""
    columns: dict[str, Any] = dict.fromkeys(_REQUESTER_COLUMNS)
    if isinstance(requester, Client):
        return columns | {
            "client": requester.name,
            "client_key": requester.key,
            "client_digest": requester.digest,
            "is_spoiler": 0,
            "by_bot": 0,
            "by_bot_unproven": 0,
        }
    return columns | {
        "interaction_id": requester.interaction_id,
        "application_id": requester.application_id,
        "user_id": requester.user_id,
        "guild_id": requester.guild_id,
        "home_id": requester.home_id,
        "card_language": requester.card_language,
        "is_spoiler": int(requester.is_spoiler),
        "notify_default": requester.notify_default,
        "channel_id": requester.channel_id,
        "locale": requester.locale,
        "token": requester.token,
        "token_until": requester.token_until,
        "upload_limit": requester.upload_limit,
        "by_bot": int(requester.bot_can_edit),
        "by_bot_unproven": int(requester.bot_access_unproven),
        "message_id": requester.message_id,
    }
