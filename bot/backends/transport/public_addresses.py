"""Tells whether an IP address is public. Addresses that are embedded in it are checked too.

`ipaddress.is_global` depends on the special networks that the Python version knows. It also treats
addresses that were never allocated as global.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# These networks are for protocol assignments and for the withdrawn relays of 6to4.
_SPECIAL_V4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_ALLOCATED_V6 = IPv6Network("2000::/3")
# These networks are for Teredo and other protocols, for documentation, and for a withdrawn test.
_SPECIAL_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3ffe::/16", "3fff::/20")))
# In these networks, an address ends with an IPv4 address: IPv4-compatible, mapped, translated and
# NAT64 addresses.
_WITH_V4 = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_6TO4 = IPv6Network("2002::/16")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
_32_BITS = 0xFFFFFFFF


def is_public(address: str) -> bool:
    """Tell whether an IP address is public.

    Raises ValueError if the text is not an IP address.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, IPv4Address):
        return _is_public_v4(ip)
    embedded = tuple(_embedded(ip))
    is_translated = any(ip in network for network in (*_WITH_V4, _LOCAL_NAT64))
    if not embedded and is_translated:
        return False
    return all(map(_is_public_v4, embedded)) and (is_translated or _is_public_v6(ip))


def literal_address(host: str) -> str | None:
    """Return the host of a URL as an IP address, or None if the host is a name."""
    bare = host.strip("[]").removesuffix(".")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        # Resolvers also accept 127.1, 0x7f000001 and 2130706433 for 127.0.0.1.
        return socket.inet_ntoa(socket.inet_aton(bare))
    except (OSError, UnicodeError):
        return None


def _is_public_v4(ip: IPv4Address) -> bool:
    special = any(ip in network for network in _SPECIAL_V4)
    return ip.is_global and not ip.is_multicast and not special


def _is_public_v6(ip: IPv6Address) -> bool:
    if ip in _6TO4:
        return True  # the embedded address decides
    special = any(ip in network for network in _SPECIAL_V6)
    return ip in _ALLOCATED_V6 and ip.is_global and not special


def _embedded(ip: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses to which an IPv6 address may be translated."""
    number = int(ip)
    if any(ip in network for network in _WITH_V4):
        yield IPv4Address(number & _32_BITS)
    elif ip in _6TO4:
        yield IPv4Address(number >> 80 & _32_BITS)
    elif ip in _LOCAL_NAT64:
        yield from _in_local_nat64(number)
    if number >> 32 & _32_BITS in _ISATAP:
        yield IPv4Address(number & _32_BITS)


def _in_local_nat64(number: int) -> Iterator[IPv4Address]:
    """Yield the IPv4 address that a local NAT64 address embeds in a layout of RFC 6052.

    The translator chooses the layout, so the layout is recognised by its unused bits, which must
    be 0. An address without such a layout yields nothing.
    """
    subnet_and_suffix = number & ((1 << 80) - 1)
    if subnet_and_suffix >> 32 == 0:
        yield IPv4Address(number & _32_BITS)
    elif subnet_and_suffix & ((1 << 40) - 1) == 0 and not subnet_and_suffix >> 56 & 0xFF:
        yield IPv4Address((subnet_and_suffix >> 64) << 16 | (subnet_and_suffix >> 40 & 0xFFFF))
