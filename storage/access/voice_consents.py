"""The table of people's answers to the question whether a video service may hear their voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_ANSWER = """
INSERT INTO voice_consents (user_id, service, agrees, answered_at)
VALUES (:user_id, :service, :agrees, :now)
ON CONFLICT (user_id, service) DO UPDATE SET agrees = :agrees, answered_at = :now
"""

_FORGET = """
DELETE FROM voice_consents
WHERE user_id = :user_id AND (agrees = 1 OR :keeps_refusals = 0)
RETURNING user_id
"""

# From now on, no link to the voice works. The step that sends the create request may already have
# read a waiting job. The higher epoch invalidates that step.
_WITHDRAW = """
UPDATE jobs SET
    voice_service = '',
    voice_use = CASE WHEN voice_use = 'allowed' THEN 'withheld' ELSE voice_use END,
    epoch = CASE WHEN state IN ('received', 'queued') THEN epoch + 1 ELSE epoch END
WHERE user_id = :user_id AND voice_service <> ''
    AND state NOT IN ('succeeded', 'failed', 'cancelled')
"""


class VoiceConsentStore:
    """Stores people's answers, one for each video service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, user_id: int, service: str) -> bool | None:
        """Return whether a person agrees that a service hears their voice. None: not answered."""
        row = await self._database.row(
            "SELECT agrees FROM voice_consents WHERE user_id = :user_id AND service = :service",
            {"user_id": user_id, "service": service},
        )
        return None if row is None else bool(row["agrees"])

    async def has_any(self, user_id: int) -> bool:
        """Return whether an answer of a person is stored, for any service."""
        row = await self._database.row(
            "SELECT 1 FROM voice_consents WHERE user_id = :user_id LIMIT 1", {"user_id": user_id}
        )
        return row is not None

    async def answer(self, user_id: int, service: str, *, agrees: bool, now: float) -> None:
        """Store a person's answer."""
        values = {"user_id": user_id, "service": service, "agrees": int(agrees), "now": now}
        await self._database.rows(_ANSWER, values)
        if not agrees:
            await self.withdraw(user_id)

    async def withdraw(self, user_id: int) -> None:
        """Withhold the unsent narrations of a person's open jobs from every service."""
        await self._database.rows(_WITHDRAW, {"user_id": user_id})

    async def forget(self, user_id: int, *, keeps_refusals: bool = False) -> bool:
        """Delete a person's answers, and return whether any was deleted.

        `keeps_refusals`: whether to keep the answers in which the person declined.
        """
        row = await self._database.row(
            _FORGET, {"user_id": user_id, "keeps_refusals": int(keeps_refusals)}
        )
        # A create request that is prepared after this statement finds no answer.
        await self.withdraw(user_id)
        return row is not None
