"""Requests as plain HTTP, for providers whose dialect needs no package of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.backends.transport.base import Endpoint, Request


class HttpTransport:
    """A wire that sends JSON, and the headers of `credentials` to the provider's own origin."""

    def __init__(self, ends: Endpoint, *, credentials: Mapping[str, str]) -> None:
        self._base_url = ends.base_url
        self._origin = httpx2.URL(ends.base_url).origin
        self._credentials = credentials
        self._client = ends.connect()
        self._client.event_hooks["request"].append(self._keep_credentials)

    async def send(self, request: Request) -> httpx2.Response:
        """Return the answer of whatever status; one of NO_ANSWER: there was none."""
        is_path = request.url.startswith("/")
        built = self._client.build_request(
            request.method,
            f"{self._base_url}{request.url}" if is_path else request.url,
            params=request.query or None,  # an empty mapping would take the address's own away
            headers={**request.headers, **(self._credentials if request.with_key else {})},
            json=request.body,
        )
        response = await self._client.send(
            built, stream=request.stream, follow_redirects=request.follow_redirects
        )
        if not response.is_success:
            await response.aread()
        return response

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _keep_credentials(self, request: httpx2.Request) -> None:
        # A redirect takes every header along but Authorization.
        if request.url.origin != self._origin:
            for name in self._credentials:
                request.headers.pop(name, None)


def bearer(api_key: str | None) -> dict[str, str]:
    """Return the usual header for a key; without one, none."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}
