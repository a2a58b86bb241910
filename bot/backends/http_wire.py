"""Requests as plain HTTP, for providers whose dialect needs no package of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

    from bot.backends.wires import Ends, Request


class HttpWire:
    """A wire that sends JSON, and the key as a bearer token."""

    def __init__(self, ends: Ends, *, api_key: str | None) -> None:
        self._base_url = ends.base_url
        self._authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = ends.connect()

    async def send(self, request: Request) -> httpx2.Response:
        """Return the answer of whatever status; one of NO_ANSWER: there was none."""
        is_path = request.url.startswith("/")
        built = self._client.build_request(
            request.method,
            f"{self._base_url}{request.url}" if is_path else request.url,
            params=request.query or None,  # an empty mapping would take the address's own away
            headers={**request.headers, **(self._authorization if request.with_key else {})},
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
