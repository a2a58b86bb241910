"""Finds the address that a request was sent from, even behind a reverse proxy."""

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
_IPV6_PREFIX_BITS = 64  # a host controls all addresses of its /64


class Proxies:
    """The trusted reverse proxies: X-Forwarded-For is believed only from these `networks`.

    ValueError: one of `networks` is neither an address nor a network.
    """

    def __init__(self, networks: Sequence[str] = LOOPBACK) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)

    def trusts(self, address: str) -> bool:
        """Tell whether an address belongs to a trusted proxy."""
        found = _parsed(address)
        return found is not None and any(found in network for network in self._networks)

    def scheme_of(self, request: web.Request) -> str:
        """Return the scheme that a caller used, which a trusted proxy names."""
        named = request.headers.get(hdrs.X_FORWARDED_PROTO, "").strip().lower()
        if named in _SCHEMES and self.trusts(request.remote or ""):
            return named
        return request.scheme

    def address_of(self, request: web.Request) -> str:
        """Return the caller's address, which is that of the last hop that isn't a trusted proxy."""
        found = request.remote or ""
        forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).split(",")
        # From right to left: entries further left were written by hosts further away.
        for hop in reversed(forwarded):
            if not self.trusts(found) or _parsed(hop) is None:
                break
            found = hop.strip()
        return found if self.trusts(found) else network_of(found)


def network_of(address: str) -> str:
    """Return an IPv6 address's /64 network, or any other address unchanged."""
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
    # A dual-stack socket reports IPv4 peers as IPv4-mapped IPv6 addresses.
    return getattr(found, "ipv4_mapped", None) or found
