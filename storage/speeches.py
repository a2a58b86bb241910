"""The table of speeches: how many texts were read aloud for each requester in the last day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_DAY = 24 * 60 * 60

_USAGE = """
SELECT count(*) AS today,
    count(*) FILTER (
        WHERE user_id = :user_id OR client = :client) AS of_user,
    count(*) FILTER (WHERE interaction_id = :interaction_id) AS repetitions
FROM speeches WHERE at > :day_ago
"""

_COUNT = f"""
INSERT INTO speeches (interaction_id, user_id, client, at)
SELECT :interaction_id, :user_id, :client, :now FROM ({_USAGE}) AS counted
WHERE of_user < :max_of_user AND today < :max_today
ON CONFLICT (interaction_id) DO NOTHING
RETURNING id
"""  # noqa: S608 - built from constants


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


class SpeechStore:
    """Counts speeches without storing their texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(
        self, requester: SpeechRequester, caps: SpeechCaps, *, now: float
    ) -> SpeechUsage | None:
        """Count a speech and return None, or return the usage if the speech is not allowed.

        A speech is not allowed if a cap is reached, or if the same interaction has already been
        counted.
        """
        params = {**asdict(requester), "day_ago": now - _DAY}
        limits = {"max_of_user": caps.per_user, "max_today": caps.per_day, "now": now}
        if await self._database.counting_row(_COUNT, params | limits) is not None:
            return None
        row = await self._database.row(_USAGE, params)
        return SpeechUsage(
            today=row["today"] if row else 0,
            of_user=row["of_user"] if row else 0,
            is_repeated=bool(row and row["repetitions"]),
        )
