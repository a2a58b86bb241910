"""Whom a request comes from, also where a proxy stands in between."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from aiohttp import hdrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

LOOPBACK = ("127.0.0.0/8", "::1")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_OWN_BITS = 64  # of an IPv6 address: whoever has one has all that begin like it


class Proxies:
    """Believes what the proxies of these `networks` say of whom they speak for.

    ValueError: one is no address and no network.
    """

    def __init__(self, networks: Sequence[str] = LOOPBACK) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)

    def trusts(self, address: str) -> bool:
        """Tell whether an address is one of theirs."""
        found = _parsed(address)
        return found is not None and any(found in network for network in self._networks)

    def address_of(self, request: web.Request) -> str:
        """Return the last address on a request's way that is no proxy's."""
        found = request.remote or ""
        forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).split(",")
        # From the end: what stands further left was written by somebody further away.
        for hop in reversed(forwarded):
            if not self.trusts(found) or _parsed(hop) is None:
                break
            found = hop.strip()
        return found if self.trusts(found) else home_of(found)


def home_of(address: str) -> str:
    """Return what one caller can't change of its address."""
    found = _parsed(address)
    if found is None:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(found), _OWN_BITS), strict=False))
    return str(found)


def _parsed(address: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    # Where the bot listens on both kinds, the old one comes in the clothes of the new.
    return getattr(found, "ipv4_mapped", None) or found
