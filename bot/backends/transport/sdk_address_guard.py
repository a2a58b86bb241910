"""Prevents downloads from private networks through the SDK's own HTTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from bot.backends.transport.guarded_resolver import PrivateAddressError
from bot.backends.transport.origins import origin_of
from bot.backends.transport.public_addresses import is_public, literal_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

    from bot.backends.transport.origins import ServerOrigin


class AddressGuard:
    """A request hook that allows only public addresses and the `trusted` origins.

    If the URL has a host name, the connected address is checked before any byte is sent. A proxy
    resolves host names itself, so with a proxy only IP addresses in URLs can be checked.
    """

    def __init__(self, trusted: frozenset[ServerOrigin]) -> None:
        self._trusted = trusted

    async def __call__(self, request: httpx2.Request) -> None:
        """Check the URL, and have the connection checked.

        PrivateAddressError: the address is private.
        """
        # A redirected request inherits the check of the previous host, which is removed here.
        extensions = {name: item for name, item in request.extensions.items() if name != "trace"}
        if origin_of(str(request.url)) not in self._trusted:
            host = request.url.raw_host.decode("ascii")
            if (address := literal_address(host)) is not None:
                _require_public(address)
            extensions["trace"] = _PeerCheck(host)
        request.extensions = extensions


class _Stream(Protocol):
    def get_extra_info(self, info: str) -> tuple[str, int]: ...

    async def aclose(self) -> None: ...


class _PeerCheck:
    """A trace hook that aborts a new connection to `host` if its address is private."""

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


def _require_public(address: str) -> None:
    if not is_public(address):
        raise PrivateAddressError
