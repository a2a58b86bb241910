"""Finds the address that a request was sent from, even if a reverse proxy forwarded it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from aiohttp import hdrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

_SCHEMES = frozenset({"http", "https"})
LOOPBACK = ("127.0.0.0/8", "::1")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_IPV6_PREFIX_BITS = 64  # a host usually controls a whole /64 network


class Proxies:
    """The reverse proxies whose X-Forwarded-For header is trusted.

    `networks`: the addresses and networks of the proxies. Raises ValueError if one of them is
    invalid.
    """

    def __init__(self, networks: Sequence[str] = LOOPBACK) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)

    def trusts(self, address: str) -> bool:
        """Tell whether an address is that of a trusted proxy."""
        found = _parsed(address)
        return found is not None and any(found in network for network in self._networks)

    def scheme_of(self, request: web.Request) -> str:
        """Return the scheme of the URL that the caller requested, as reported by a trusted proxy.

        Without a trusted proxy, it is the scheme of the connection itself.
        """
        named = request.headers.get(hdrs.X_FORWARDED_PROTO, "").strip().lower()
        if named in _SCHEMES and self.trusts(request.remote or ""):
            return named
        return request.scheme

    def address_of(self, request: web.Request) -> str:
        """Return the address of the host that sent the request to the first trusted proxy.

        Without a trusted proxy, this is the peer of the connection. An IPv6 address is returned as
        its /64 network.
        """
        found = request.remote or ""
        forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).split(",")
        # The header is read from right to left, because each proxy appends the address that it
        # received the request from.
        for hop in reversed(forwarded):
            if not self.trusts(found) or _parsed(hop) is None:
                break
            found = hop.strip()
        return found if self.trusts(found) else network_of(found)


def network_of(address: str) -> str:
    """Return the /64 network of an IPv6 address. Any other text is returned unchanged."""
    found = _parsed(address)
    if found is None:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(found), _IPV6_PREFIX_BITS), strict=False))
    return str(found)


def _parsed(address: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    # A socket for both IPv4 and IPv6 reports IPv4 addresses as IPv6 addresses.
    return getattr(found, "ipv4_mapped", None) or found
