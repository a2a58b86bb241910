"""A transport over plain HTTP, for providers whose API needs no SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.backends.transport.base import Endpoint, Request


class HttpTransport:
    """Sends JSON requests; the headers in `credentials` are sent only to the provider's origin."""

    def __init__(self, endpoint: Endpoint, *, credentials: Mapping[str, str]) -> None:
        self._base_url = endpoint.base_url
        self._origin = httpx2.URL(endpoint.base_url).origin
        self._credentials = credentials
        self._http = endpoint.connect()
        self._http.event_hooks["request"].append(self._remove_foreign_credentials)

    async def send(self, request: Request) -> httpx2.Response:
        """Return the response, even with an error status; raise one of NO_ANSWER without one."""
        is_path = request.url.startswith("/")
        built = self._http.build_request(
            request.method,
            f"{self._base_url}{request.url}" if is_path else request.url,
            params=request.query or None,  # an empty mapping would remove the URL's own query
            headers={**request.headers, **(self._credentials if request.with_key else {})},
            json=request.body,
        )
        response = await self._http.send(
            built, stream=request.stream, follow_redirects=request.follow_redirects
        )
        if not response.is_success:
            await response.aread()
        return response

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _remove_foreign_credentials(self, request: httpx2.Request) -> None:
        # httpx keeps every header but Authorization when it follows a redirect.
        if request.url.origin != self._origin:
            for name in self._credentials:
                request.headers.pop(name, None)


def bearer(api_key: str | None) -> dict[str, str]:
    """Return the Authorization header for a key, or no headers without a key."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}
