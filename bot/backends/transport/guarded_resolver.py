"""Prevents downloads from private networks, because URLs in providers' responses aren't trusted."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver

from bot.backends.transport.base import NeverSentError
from bot.backends.transport.public_addresses import is_public, literal_address

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

    from bot.backends.transport.origins import ServerOrigin


class PrivateAddressError(NeverSentError):
    """A link leads to this machine or to a host in a private network."""

    def __init__(self) -> None:
        super().__init__("PrivateAddressError")


class GuardedResolver(AbstractResolver):
    """Resolves host names only to public addresses, except for the `trusted` origins.

    Connections are only made to the addresses that this class returns. A host name therefore can't
    change its address after the check. If there is a proxy, it resolves host names itself.
    """

    def __init__(self, trusted: frozenset[ServerOrigin]) -> None:
        self._trusted = trusted
        self._names = {(origin.host, origin.port) for origin in trusted}
        self._resolver = ThreadedResolver()

    def check(self, origin: ServerOrigin) -> None:
        """If the host of a URL is an IP address, check the address. `resolve` checks host names.

        Raises PrivateAddressError if the address is private and not trusted.
        """
        address = literal_address(origin.host)
        if address is not None and origin not in self._trusted and not is_public(address):
            raise PrivateAddressError

    def trust(self, proxy: ServerOrigin) -> None:
        """Allow connections to a proxy that the environment names."""
        self._names.add((proxy.host, proxy.port))

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host that may be connected to.

        Raises PrivateAddressError if all addresses are private.
        """
        found = await self._resolver.resolve(host, port, family)
        if (host.lower(), port) in self._names:
            return found
        public = [result for result in found if is_public(result["host"].partition("%")[0])]
        if found and not public:
            raise PrivateAddressError
        return public

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()
