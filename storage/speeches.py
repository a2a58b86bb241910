"""The table of speeches: how many texts were read aloud for each requester in the last day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from storage.ledger.budgets import WITHIN_BUDGETS, Reservation

if TYPE_CHECKING:
    from storage.database import Database

_DAY = 24 * 60 * 60
_FREE = Reservation()

_USAGE = """
SELECT count(*) AS today,
    count(*) FILTER (
        WHERE user_id = :user_id OR client = :client) AS of_user,
    count(*) FILTER (WHERE interaction_id = :interaction_id) AS repetitions
FROM speeches WHERE at > :day_ago
"""

_COUNT = f"""
INSERT INTO speeches (
    interaction_id, user_id, client, at, server, payer, ledger_day, reserved_micros)
SELECT :interaction_id, :user_id, :client, :now, :server_scope, :payer, :ledger_day, :total
FROM ({_USAGE}) AS counted
WHERE of_user < :max_of_user AND today < :max_today AND {WITHIN_BUDGETS}
ON CONFLICT (interaction_id) DO NOTHING
RETURNING id
"""  # noqa: S608 - built from constants

# Committed before the voice is asked, so that a crash after the request doesn't free the price.
_BEGIN_SPEAKING = """
UPDATE speeches SET settled_micros = reserved_micros, settled_at = :now
WHERE id = :id AND settled_micros IS NULL
RETURNING id
"""
_RELEASE = """
UPDATE speeches SET settled_micros = 0, settled_at = :now
WHERE id = :id AND coalesce(settled_micros, 1) <> 0
"""
# The process may have crashed after the order, before it sent the text to the voice service.
_RELEASE_ABANDONED = """
UPDATE speeches SET settled_micros = 0, settled_at = :now
WHERE settled_micros IS NULL AND reserved_micros <> 0 AND at < :before
"""

# Texts are never empty. An empty one marks a row whose text must not be stored any more.
_KEEP = """
UPDATE speeches SET text = :text, narration_id = :narration_id WHERE id = :id AND text IS NULL
RETURNING id
"""
_KEEP_NO_MORE = "UPDATE speeches SET text = '' WHERE user_id = :user_id AND text IS NULL"
_FORGET = "UPDATE speeches SET text = NULL, narration_id = NULL WHERE narration_id = :narration_id"
_KEPT = """
SELECT user_id, text, narration_id FROM speeches
WHERE id = :id AND narration_id IS NOT NULL AND at > :day_ago
"""
_NARRATIONS_OF = """
SELECT narration_id FROM speeches WHERE user_id = :user_id AND narration_id IS NOT NULL
"""
# A job in a later state has its own copy of the sound.
_EXPIRED = """
SELECT narration_id FROM speeches
WHERE at <= :day_ago AND narration_id IS NOT NULL AND narration_id NOT IN (
    SELECT narration_of FROM jobs WHERE state = 'received' AND narration_of IS NOT NULL)
"""
# A row with a sound is kept until the sound is deleted.
_DELETE_OLD = "DELETE FROM speeches WHERE at <= :day_ago AND narration_id IS NULL"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeechCaps:
    """The number of texts that may be read aloud per day, for one requester and for all."""

    per_user: int
    per_day: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeechRequester:
    """The requester of a speech: either a person in Discord, or an API client."""

    user_id: int | None = None
    interaction_id: int | None = None
    client: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeechUsage:
    """The number of texts that were read aloud within a day.

    `today`: the number for all requesters together. `of_user`: the number for one requester.
    `is_repeated`: whether the current interaction has already been counted.
    """

    today: int
    of_user: int
    is_repeated: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSpeech:
    """A text that was read aloud for a person.

    `narration_id`: the id under which the workspace keeps the sound of the text. The workspace
    keeps the narration of a job in the same way.
    """

    user_id: int
    text: str
    narration_id: str


class SpeechStore:
    """Counts speeches. The texts of people's speeches are stored for a day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(
        self,
        requester: SpeechRequester,
        caps: SpeechCaps,
        reservation: Reservation = _FREE,
        *,
        now: float,
    ) -> int | SpeechUsage:
        """Count a speech and return its id, or return the usage if the speech is not allowed.

        A speech is not allowed if a cap or a budget is reached, or if the same interaction has
        already been counted. The price of a job's text is reserved with the job.
        """
        params = {**asdict(requester), "day_ago": now - _DAY}
        limits = {"max_of_user": caps.per_user, "max_today": caps.per_day, "now": now}
        counted = await self._database.counting_row(_COUNT, params | limits | reservation.columns)
        if counted is not None:
            return counted["id"]
        row = await self._database.row(_USAGE, params)
        return SpeechUsage(
            today=row["today"] if row else 0,
            of_user=row["of_user"] if row else 0,
            is_repeated=bool(row and row["repetitions"]),
        )

    async def begin_speaking(self, speech_id: int, *, now: float) -> bool:
        """Record that the voice is about to be asked, so that the reserved price is spent.

        Returns False if the voice was asked before, or if the price was released.
        """
        params = {"id": speech_id, "now": now}
        return await self._database.row(_BEGIN_SPEAKING, params) is not None

    async def release(self, speech_id: int, *, now: float) -> None:
        """Record that a text costs nothing."""
        await self._database.rows(_RELEASE, {"id": speech_id, "now": now})

    async def release_abandoned(self, *, before: float, now: float) -> None:
        """Release the prices of texts that were ordered before a given time but not read aloud."""
        await self._database.rows(_RELEASE_ABANDONED, {"before": before, "now": now})

    async def keep(self, speech_id: int, text: str, *, narration_id: str) -> bool:
        """Store the text of a speech, and the id under which its sound is kept.

        Returns False if the person has deleted their data since the speech was ordered.
        """
        params = {"id": speech_id, "text": text, "narration_id": narration_id}
        return await self._database.row(_KEEP, params) is not None

    async def keep_no_more(self, user_id: int) -> None:
        """Forbid storing the texts of a person's speeches that are not stored yet."""
        await self._database.rows(_KEEP_NO_MORE, {"user_id": user_id})

    async def kept(self, speech_id: int, *, now: float) -> KeptSpeech | None:
        """Return a speech with its text, or None if the text is not stored or is a day old."""
        row = await self._database.row(_KEPT, {"id": speech_id, "day_ago": now - _DAY})
        return KeptSpeech(**dict(row)) if row else None

    async def narrations_of(self, user_id: int) -> list[str]:
        """List the ids under which the sounds of a person's speeches are kept."""
        rows = await self._database.rows(_NARRATIONS_OF, {"user_id": user_id})
        return [row["narration_id"] for row in rows]

    async def expired_narrations(self, *, now: float) -> list[str]:
        """List the ids of the sounds that are a day old and that no job is about to use."""
        rows = await self._database.rows(_EXPIRED, {"day_ago": now - _DAY})
        return [row["narration_id"] for row in rows]

    async def forget(self, narration_id: str) -> None:
        """Delete the text whose sound was kept under an id. The row still counts for the caps."""
        await self._database.rows(_FORGET, {"narration_id": narration_id})

    async def delete_old(self, *, now: float) -> None:
        """Delete the speeches that are too old to count towards the daily caps."""
        await self._database.rows(_DELETE_OLD, {"day_ago": now - _DAY})
