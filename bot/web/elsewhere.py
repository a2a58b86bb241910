"""Responds with 503 to all requests that only another process can handle."""

from __future__ import annotations

from aiohttp import web

_RETRY_SECONDS = 10


def elsewhere_routes() -> list[web.RouteDef]:
    """Return the routes for all paths that no other route handles."""
    return [web.route("*", "/{path:.*}", _refuse)]


async def _refuse(_: web.Request) -> web.Response:
    return web.Response(
        status=503,
        headers={"Retry-After": str(_RETRY_SECONDS)},
        text="another process answers this\n",
    )
