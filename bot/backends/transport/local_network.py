"""Tells whether a server's address is inside the operator's own network."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.backends.transport.public_addresses import is_public, literal_address

# RFC 6761, RFC 6762, RFC 8375, and the private-use name that ICANN reserved in 2024. Routers use
# "lan".
_LOCAL_NAMES = ("localhost", "local", "home.arpa", "internal", "lan")


def is_local(url: str) -> bool:
    """Tell whether a URL's host is a private address, this machine, or a name of a local network.

    A name is never resolved, because its address may change. A name without a dot exists only in
    a local network, such as that of Docker Compose.
    """
    host = (urlsplit(url).hostname or "").removesuffix(".")
    address = literal_address(host)
    if address is not None:
        return not is_public(address)
    is_named = any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES)
    return bool(host) and (is_named or "." not in host)
