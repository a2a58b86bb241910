"""Identifies API clients, by an API token or by a session that was opened with a token."""

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
# Browsers accept a cookie with this prefix only over TLS, and send it only to this host.
_SECURE_PREFIX = "__Host-"
_SCHEME = "bearer "
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS = {"http": 80, "https": 443}
_Origin = tuple[str, str, int]


class Authentication:
    """Identifies API clients by their tokens and sessions.

    `tokens`: the tokens, keyed by client name.
    `store`: the sessions that were signed out.
    `key`: signs sessions.
    `public_url`: the server's URL as callers see it, or "" if unknown.
    `cookie`: the name of the cookie if the URL does not use TLS.
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
        """Whether the public URL uses TLS."""
        return self._origin is not None and self._origin[0] == "https"

    @property
    def cookie(self) -> str:
        """The name of the cookie that contains a session."""
        return f"{_SECURE_PREFIX}{self._cookie}" if self.secure else self._cookie

    def by_token(self, token: str) -> str | None:
        """Return the name of the client that a token belongs to, or None for an unknown token."""
        presented, found = _digest(token), None
        # All tokens are compared, each in constant time, so that the duration reveals nothing about
        # them.
        for name, digest in self._digests.items():
            if hmac.compare_digest(presented, digest):
                found = name
        return found

    def by_request(self, request: web.Request) -> str | None:
        """Return the client that a request's token or session identifies, or None.

        A session can only authorise a change if the request was sent by one of the bot's own pages.
        """
        if has_token(request):
            return self.by_token(request.headers[hdrs.AUTHORIZATION][len(_SCHEME) :].strip())
        session = self.session_of(request)
        if session and (request.method in _SAFE_METHODS or self.is_own_page(request)):
            return session.client
        return None

    def session_of(self, request: web.Request) -> PageSession | None:
        """Return the session whose cookie is in the request, or None."""
        return self.sessions.find(request.cookies.get(self.cookie, ""))

    def is_own_page(self, request: web.Request) -> bool:
        """Tell whether the request's Origin header names one of the bot's own pages."""
        origin = _origin(request.headers.get(hdrs.ORIGIN, ""))
        if origin is None:
            return False
        asked = _origin(f"{self._proxies.scheme_of(request)}://{request.host}")
        return origin in {self._origin, asked}


def has_token(request: web.Request) -> bool:
    """Tell whether a request contains a token, which takes precedence over a session."""
    # Other authentication schemes are ignored, because a proxy in front of the bot may use one
    # itself.
    return request.headers.get(hdrs.AUTHORIZATION, "").lower().startswith(_SCHEME)


def _digest(token: str) -> bytes:
    # Header bytes and JSON escapes that are not valid Unicode arrive here as surrogates.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _origin(url: str) -> _Origin | None:
    """Return the scheme, host and port of a URL, or None if it has no scheme or host."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.scheme and parts.hostname else None
