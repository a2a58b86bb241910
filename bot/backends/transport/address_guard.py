"""Keeps downloads away from private networks, whatever address a server names for its result."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Protocol, cast

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_public(address: str) -> bool:
    """Whether an IP address can be reached from everywhere; ValueError: it is none."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    return ip.is_global and not ip.is_multicast


class PrivateAddressError(httpx2.ConnectError):
    """A result lies on this machine, or in a private network."""


class AddressGuard:
    """Refuses, as a hook of requests, all but public addresses and the `trusted` origins.

    A name is judged by the address that was connected to, before a byte is sent. Behind a proxy,
    which looks names up itself, only addresses that stand in the URL are judged.
    """

    def __init__(self, trusted: frozenset[httpx2.Origin]) -> None:
        self._trusted = trusted

    async def __call__(self, request: httpx2.Request) -> None:
        """Let the request pass, and its connection be checked; PrivateAddressError: refused."""
        # A redirected request brings the check of the one before it.
        extensions = {name: item for name, item in request.extensions.items() if name != "trace"}
        if request.url.origin not in self._trusted:
            host = request.url.raw_host.decode("ascii")
            if _is_address(host):
                _require_public(host)
            extensions["trace"] = _PeerCheck(host)
        request.extensions = extensions


class _Stream(Protocol):
    def get_extra_info(self, info: str) -> tuple[str, int]: ...

    async def aclose(self) -> None: ...


class _PeerCheck:
    """Follows the opening of a connection to `host`, and breaks off where it leads inside."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._direct = False

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        if event == "connection.connect_tcp.started":
            self._direct = info["host"] == self._host
        elif event == "connection.connect_tcp.complete" and self._direct:
            await _check_peer(cast("_Stream", info["return_value"]))


async def _check_peer(stream: _Stream) -> None:
    try:
        _require_public(stream.get_extra_info("server_addr")[0])
    except BaseException:
        await stream.aclose()
        raise


def _is_address(host: str) -> bool:
    """Whether this host of a URL is an address, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _require_public(address: str) -> None:
    if not is_public(address):
        raise PrivateAddressError("the result lies in a private network")
