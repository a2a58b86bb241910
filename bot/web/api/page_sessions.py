"""Opens and checks the sessions of the web page, and remembers which were signed out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.sessions import SignedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from storage.sessions import SessionStore

SESSION_SECONDS = 30 * 24 * 60 * 60
# If a client has signed out more sessions than this, all sessions of the client are signed out.
_MAX_SIGNED_OUT = 1000
_ID_BYTES = 16
_SESSION = re.compile(
    r"(?P<client>[\w-]{1,64})\.(?P<expires>\d{1,12})\.(?P<id>[\w-]{22})\.(?P<mac>[\w-]{43})",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PageSession:
    """A valid session.

    `hash`: identifies the session, but can't be used to sign in.
    """

    client: str
    expires_at: int
    hash: str


class PageSessions:
    """Signs sessions with `key`.

    `digests`: the hashes of the tokens, keyed by client name.

    The table of signed-out sessions is only read once, because no other process changes it.
    """

    def __init__(
        self,
        store: SessionStore,
        digests: Mapping[str, bytes],
        *,
        key: bytes,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._digests = digests
        self._key = key
        self._clock = clock
        self._signed_out: dict[str, SignedOut] = {}
        self._generations: dict[str, int] = {}

    async def load(self) -> None:
        """Load the list of signed-out sessions from the database."""
        found = await self._store.signed_out(now=self._clock())
        self._signed_out = {each.hash: each for each in found}
        self._generations = await self._store.generations()

    def open(self, client: str) -> str:
        """Return the cookie of a new session. The session expires after `SESSION_SECONDS`."""
        expires, session_id = int(self._clock()) + SESSION_SECONDS, secrets.token_urlsafe(_ID_BYTES)
        return f"{client}.{expires}.{session_id}.{self._mac(client, expires, session_id)}"

    def find(self, cookie: str) -> PageSession | None:
        """Return the session in a cookie, or None if it is forged or the session has ended."""
        match = _SESSION.fullmatch(cookie)
        if match is None or match["client"] not in self._digests:
            return None
        client, expires = match["client"], int(match["expires"])
        genuine = hmac.compare_digest(self._mac(client, expires, match["id"]), match["mac"])
        name = hashlib.sha256(match["id"].encode()).hexdigest()
        if not genuine or self._clock() >= expires or name in self._signed_out:
            return None
        return PageSession(client=client, expires_at=expires, hash=name)

    async def sign_out(self, session: PageSession) -> None:
        """End one session before it expires."""
        ended = SignedOut(hash=session.hash, client=session.client, expires_at=session.expires_at)
        await self._store.sign_out(ended)
        now = self._clock()
        self._signed_out = {
            name: each for name, each in self._signed_out.items() if each.expires_at > now
        } | {ended.hash: ended}
        same = sum(each.client == session.client for each in self._signed_out.values())
        if same > _MAX_SIGNED_OUT:
            await self.sign_out_everywhere(session.client)

    async def sign_out_everywhere(self, client: str) -> None:
        """End all sessions of a client."""
        self._generations[client] = await self._store.sign_out_everywhere(client)
        self._signed_out = {
            name: each for name, each in self._signed_out.items() if each.client != client
        }

    def _mac(self, client: str, expires: int, session_id: str) -> str:
        # The token's hash is signed too, so a new token invalidates sessions that used the old one.
        generation = self._generations.get(client, 0)
        named = f"session|{client}|{expires}|{session_id}|{generation}|".encode()
        mac = hmac.digest(self._key, named + self._digests[client], "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
