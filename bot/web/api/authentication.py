"""Identifies clients by an API token in a header, or by a session opened with such a token."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from bot.web.api.page_sessions import PageSession, PageSessions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.web.http.caller_address import Proxies
    from storage.sessions import SessionStore

COOKIE = "clapper_session"
_SECURE_PREFIX = "__Host-"  # browsers accept such a cookie only over TLS and only from this host
_SCHEME = "bearer "
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS = {"http": 80, "https": 443}
_Origin = tuple[str, str, int]


class Authentication:
    """Identifies clients by their tokens and sessions.

    `tokens` maps client names to tokens. `key` signs sessions, and `store` has the signed-out
    sessions. `public_url` is the server's URL as its callers see it, or empty. `cookie` is the name
    of the cookie where the URL does not use TLS.
    """

    def __init__(
        self,
        tokens: Mapping[str, str],
        store: SessionStore,
        *,
        key: bytes,
        public_url: str,
        proxies: Proxies,
        clock: Callable[[], float],
        cookie: str = COOKIE,
    ) -> None:
        self._cookie = cookie
        self._digests = {name: _digest(token) for name, token in tokens.items()}
        self.sessions = PageSessions(store, self._digests, key=key, clock=clock)
        self._origin = _origin(public_url)
        self._proxies = proxies

    @property
    def secure(self) -> bool:
        """Tell whether the public URL uses TLS."""
        return self._origin is not None and self._origin[0] == "https"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return f"{_SECURE_PREFIX}{self._cookie}" if self.secure else self._cookie

    def by_token(self, token: str) -> str | None:
        """Return the client that a token belongs to, or None if the token is unknown."""
        presented, found = _digest(token), None
        # Every token is compared in constant time, so that the duration reveals nothing about them.
        for name, digest in self._digests.items():
            if hmac.compare_digest(presented, digest):
                found = name
        return found

    def by_request(self, request: web.Request) -> str | None:
        """Return the client that a request's header or session identifies, or None.

        A session authorises a change only if one of the bot's own pages sent the request.
        """
        if has_token(request):
            return self.by_token(request.headers[hdrs.AUTHORIZATION][len(_SCHEME) :].strip())
        session = self.session_of(request)
        if session and (request.method in _SAFE_METHODS or self.is_own_page(request)):
            return session.client
        return None

    def session_of(self, request: web.Request) -> PageSession | None:
        """Return the session whose cookie a request has, or None."""
        return self.sessions.find(request.cookies.get(self.cookie, ""))

    def is_own_page(self, request: web.Request) -> bool:
        """Tell whether the Origin header names one of the bot's own pages."""
        origin = _origin(request.headers.get(hdrs.ORIGIN, ""))
        if origin is None:
            return False
        asked = _origin(f"{self._proxies.scheme_of(request)}://{request.host}")
        return origin in {self._origin, asked}


def has_token(request: web.Request) -> bool:
    """Tell whether a request's header has a token, which then takes precedence over a session."""
    # Other schemes are ignored: a proxy in front of the bot may ask browsers for a password.
    return request.headers.get(hdrs.AUTHORIZATION, "").lower().startswith(_SCHEME)


def _digest(token: str) -> bytes:
    # Undecodable header bytes and lone JSON escapes such as \ud800 arrive as surrogates.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _origin(url: str) -> _Origin | None:
    """Return a URL's scheme, host and port, or None if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.scheme and parts.hostname else None
