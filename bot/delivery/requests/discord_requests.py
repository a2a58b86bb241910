"""Sends requests about cards and DMs to Discord.

A request that is rate-limited or fails raises an exception, and the worker retries its step later.
discord.py would instead sleep, and occupy a slot of the worker's lane.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord.http import json_or_text

from bot.delivery.requests.route_limits import THROTTLED, RouteLimits, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from discord.http import MultipartParameters, Route

log = logging.getLogger(__name__)

# `total` is long enough for the largest file on a slow connection. `sock_read` detects a server
# that doesn't respond.
TIMEOUT = aiohttp.ClientTimeout(total=900, sock_connect=15, sock_read=60)
_HTTP_FORBIDDEN = 403
_HTTP_NOT_FOUND = 404
_HTTP_SERVER_ERROR = 500
_SUCCESS = range(200, 300)


class DiscordRequests:
    """Sends each request once, without retries. Use it as `async with DiscordRequests(...)`."""

    def __init__(
        self, *, clock: Callable[[], float], trace: aiohttp.TraceConfig | None = None
    ) -> None:
        self._limits = RouteLimits(clock=clock)
        self._traces = [trace] if trace else []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), timeout=TIMEOUT, trace_configs=self._traces
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    def check(self, route: Route) -> None:
        """Raise ThrottledError if a request of the bot that queues would have to wait."""
        self._limits.check(_key(route), is_global=True, queues=True)

    async def send(
        self,
        route: Route,
        message: MultipartParameters | None = None,
        *,
        bot: discord.Client | None = None,
        json: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        queues: bool = False,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Send a request once, and return the JSON body of the response.

        `bot`: the bot whose token authorises the request, or None if the URL contains a token.
        `queues`: see `RouteLimits.check`.

        Raises discord.HTTPException if Discord refuses the request. Raises ThrottledError, another
        aiohttp.ClientError or an OSError if the request may succeed later.
        """
        key = _key(route)
        self._limits.begin(key, is_global=bot is not None, queues=queues)
        headers: Mapping[str, str] | None = None
        try:
            async with self._session.request(
                route.method,
                route.url,
                headers=_headers(bot),
                params=query,
                data=_form(message),
                json=message.payload if message and not message.files else json,
            ) as response:
                headers = response.headers
                body = await json_or_text(response)
        finally:
            self._limits.end(key, headers)
        if response.status == THROTTLED:
            is_global = bot is not None and isinstance(body, dict) and body.get("global") is True
            seconds = self._limits.close(key, response.headers, is_global=is_global)
            log.info("route.throttled route=%r seconds=%.1f", route.key, seconds)
            raise ThrottledError(seconds)
        if response.status not in _SUCCESS:
            raise _refusal(response, body)
        return body


def _key(route: Route) -> str:
    return f"{route.key}:{route.major_parameters}"


def _headers(bot: discord.Client | None) -> dict[str, str]:
    if bot is None:
        return {
            "User-Agent": f"DiscordBot (https://github.com/Rapptz/discord.py {discord.__version__})"
        }
    return {"User-Agent": bot.http.user_agent, "Authorization": f"Bot {bot.http.token}"}


def _form(message: MultipartParameters | None) -> aiohttp.FormData | None:
    if message is None or not message.files:
        return None
    # Discord does not accept escaped brackets in the names of file fields.
    form = aiohttp.FormData(quote_fields=False)
    for part in message.multipart or ():
        form.add_field(**part)
    return form


def _refusal(response: aiohttp.ClientResponse, body: dict[str, Any] | str) -> discord.HTTPException:
    if response.status == _HTTP_FORBIDDEN:
        return discord.Forbidden(response, body)
    if response.status == _HTTP_NOT_FOUND:
        return discord.NotFound(response, body)
    if response.status >= _HTTP_SERVER_ERROR:
        return discord.DiscordServerError(response, body)
    return discord.HTTPException(response, body)
