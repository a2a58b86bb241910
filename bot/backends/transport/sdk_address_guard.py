"""Prevents downloads from private networks, for requests that OpenAI's SDK sends."""

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

    If the URL has a host name, the address of the connection is checked before any byte is sent. A
    proxy resolves host names itself, so only IP addresses in URLs can be checked then.
    """

    def __init__(self, trusted: frozenset[ServerOrigin]) -> None:
        self._trusted = trusted

    async def __call__(self, request: httpx2.Request) -> None:
        """Check the URL, and request a check of the connection.

        Raises PrivateAddressError if the address in the URL is private.
        """
        # After a redirect, the request still has the check of the previous host, so remove that
        # check.
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
