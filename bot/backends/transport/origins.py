"""Parses and quotes URLs from settings and from the responses of providers."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from yarl import URL

from bot.backends.transport.base import NoAnswerError

_PORTS = {"http": 80, "https": 443}
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[A-Za-z0-9._~%:-]+")
_PATH = "/%:@!$&'()*+,;=~[]"
_QUERY = f"{_PATH}?|^`{{}}"


class InvalidUrlError(NoAnswerError):
    """The URL can't be requested."""

    def __init__(self) -> None:
        super().__init__("InvalidURL")


class ServerOrigin(NamedTuple):
    """The scheme, host and port of a URL. The host is in lower case and has no brackets."""

    scheme: str
    host: str
    port: int


def origin_of(url: str) -> ServerOrigin:
    """Return the origin of an absolute URL.

    Raises InvalidUrlError if the URL has no origin.
    """
    parts = sendable(url)
    host, port = parts.raw_host, parts.port
    if not host or port is None or not _HOST.fullmatch(host):
        raise InvalidUrlError
    return ServerOrigin(scheme=parts.scheme, host=host.lower(), port=port)


def sendable(url: str) -> URL:
    """Parse an absolute http or https URL. Only characters that can't be sent are quoted.

    yarl would also rewrite sequences that are already quoted, such as `%20` in a query. A signed
    URL would then no longer match its signature.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS:
            raise InvalidUrlError
        authority = URL(f"{parts.scheme}://{parts.netloc}")
        path, query = _quoted(parts.path or "/", _PATH), _quoted(parts.query, _QUERY)
        return URL(f"{str(authority).rstrip('/')}{path}{query and f'?{query}'}", encoded=True)
    except ValueError as error:
        raise InvalidUrlError from error


def joined(base: str, link: str) -> str:
    """Return the absolute URL of a link that was in a response from `base`."""
    try:
        return urljoin(base, link)
    except ValueError as error:
        raise InvalidUrlError from error


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or its address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _quoted(text: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=safe)
