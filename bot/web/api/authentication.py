"""Identifies clients by an API token in a header, or by a session opened with such a token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COOKIE = "clapper_session"
SESSION_SECONDS = 30 * 24 * 60 * 60
_SCHEME = "bearer "
_SESSION = re.compile(
    r"(?P<client>[\w-]{1,64})\.(?P<expires>\d{1,12})\.(?P<mac>[\w-]{43})", re.ASCII
)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Authentication:
    """Identifies clients by their tokens and sessions.

    `tokens` maps client names to tokens. `key` signs sessions. `public_url` is the server's URL
    as its callers see it, or empty.
    """

    def __init__(
        self,
        tokens: Mapping[str, str],
        *,
        key: bytes,
        public_url: str,
        clock: Callable[[], float],
    ) -> None:
        self._digests = {name: _digest(token) for name, token in tokens.items()}
        self._key = key
        self._origin = _origin(public_url)
        self._clock = clock

    @property
    def secure(self) -> bool:
        """Tell whether the public URL uses TLS."""
        return self._origin.startswith("https:")

    def by_token(self, token: str) -> str | None:
        """Return the client that a token belongs to, or None if the token is unknown."""
        presented, found = _digest(token), None
        # Every token is compared, each in constant time, so the duration reveals nothing.
        for name, digest in self._digests.items():
            if hmac.compare_digest(presented, digest):
                found = name
        return found

    def by_request(self, request: web.Request) -> str | None:
        """Return the client that a request's header or session identifies, or None.

        A session authorizes a change only if one of the bot's own pages sent the request.
        """
        given = request.headers.get(hdrs.AUTHORIZATION, "")
        if given[: len(_SCHEME)].lower() == _SCHEME:
            return self.by_token(given[len(_SCHEME) :].strip())
        client = self.by_session(request.cookies.get(COOKIE, ""))
        if client and (request.method in _SAFE_METHODS or self.is_own_page(request)):
            return client
        return None

    def is_own_page(self, request: web.Request) -> bool:
        """Tell whether the Origin header names one of the bot's own pages."""
        origin = request.headers.get(hdrs.ORIGIN, "")
        if not origin:
            return False
        try:
            return origin == self._origin or urlsplit(origin).netloc == request.host
        except ValueError:
            return False

    def open_session(self, client: str) -> str:
        """Return the value of a session cookie that is valid for `SESSION_SECONDS`."""
        expires = int(self._clock()) + SESSION_SECONDS
        return f"{client}.{expires}.{self._mac(client, expires)}"

    def by_session(self, cookie: str) -> str | None:
        """Return the client of a session, or None if the session is forged or expired."""
        match = _SESSION.fullmatch(cookie)
        if match is None or match["client"] not in self._digests:
            return None
        client, expires = match["client"], int(match["expires"])
        genuine = hmac.compare_digest(self._mac(client, expires), match["mac"])
        return client if genuine and self._clock() < expires else None

    def _mac(self, client: str, expires: int) -> str:
        # The MAC covers the token, so changing a token ends its sessions.
        message = f"session|{client}|{expires}|".encode() + self._digests[client]
        mac = hmac.digest(self._key, message, "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _digest(token: str) -> bytes:
    # Undecodable header bytes and lone JSON escapes such as \ud800 are surrogates here.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
