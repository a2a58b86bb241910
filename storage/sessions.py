"""Stores the web page's sessions that were signed out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.database import Database

_SIGN_OUT = """
INSERT INTO signed_out (hash, client, expires_at) VALUES (:hash, :client, :expires_at)
ON CONFLICT (hash) DO NOTHING
"""
_SIGN_OUT_EVERYWHERE = """
INSERT INTO session_generations (client, generation) VALUES (:client, 1)
ON CONFLICT (client) DO UPDATE SET generation = session_generations.generation + 1
RETURNING generation
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedOut:
    """A session that was signed out, and the Unix time at which it expires."""

    hash: str
    client: str
    expires_at: int


class SessionStore:
    """Reads and writes the sessions that were signed out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def signed_out(self, *, now: float) -> list[SignedOut]:
        """List the sessions that were signed out, and delete those that have expired."""
        await self._database.rows("DELETE FROM signed_out WHERE expires_at <= :now", {"now": now})
        rows = await self._database.rows("SELECT hash, client, expires_at FROM signed_out", {})
        return [SignedOut(**dict(row)) for row in rows]

    async def generations(self) -> dict[str, int]:
        """Return how many times each client has signed out of all its sessions."""
        rows = await self._database.rows("SELECT client, generation FROM session_generations", {})
        return {row["client"]: row["generation"] for row in rows}

    async def sign_out(self, session: SignedOut) -> None:
        """Record that a session was signed out."""
        params = {
            "hash": session.hash,
            "client": session.client,
            "expires_at": session.expires_at,
        }
        await self._database.rows(_SIGN_OUT, params)

    async def sign_out_everywhere(self, client: str) -> int:
        """Sign a client out of all its sessions. Returns how many times that has been done."""
        [row] = await self._database.rows(_SIGN_OUT_EVERYWHERE, {"client": client})
        # The new generation invalidates all of the client's sessions, so these rows are no longer
        # needed.
        await self._database.rows(
            "DELETE FROM signed_out WHERE client = :client", {"client": client}
        )
        generation: int = row["generation"]
        return generation
