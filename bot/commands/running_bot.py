"""Sends requests from the command line to the running bot."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from bot.errors import StartupError
from bot.links import load_secret
from bot.web.http.server import url_host
from bot.web.operator_routes import OperatorKey

if TYPE_CHECKING:
    from bot.settings.fields import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class BotAnswer:
    """The running bot's HTTP response to a request."""

    status: int
    text: str


async def ask_running_bot(
    settings: Settings, path: str, *, subject: str, body: str = "", within: float = 15
) -> BotAnswer:
    """Send a request to the running bot, and wait at most `within` seconds for the response.

    Raises StartupError if the bot can't be reached.
    """
    if not settings.http_port:
        raise StartupError("HTTP_PORT: with 0 the running bot can't be found; set a port.")
    secret = await asyncio.to_thread(
        load_secret, settings.secret_key.get_secret_value(), settings.data_dir / "secret.key"
    )
    headers = OperatorKey(secret, clock=time.time).headers(subject)
    address = _address(settings)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within)) as http,
            http.post(f"{address}{path}", headers=headers, data=body.encode()) as answer,
        ):
            return BotAnswer(status=answer.status, text=await answer.text())
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise StartupError(
            f"HTTP_PORT: the running bot does not answer at {address} ({type(error).__name__}); "
            "use the settings that it was started with."
        ) from error


def refused_by_bot(settings: Settings, status: int) -> StartupError:
    """Return an error that explains why the bot responded with an unexpected status."""
    if status == HTTPStatus.UNAUTHORIZED:
        return StartupError("SECRET_KEY: the running bot uses another one; set the same one here.")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return StartupError(
            f"HTTP_PORT: the process at {_address(settings)} is a standby or a worker; run this on "
            "the machine of the active desk."
        )
    return StartupError(
        f"HTTP_PORT: the server at {_address(settings)} (status {status}) is not this version of "
        "the bot; restart the bot, or correct the port."
    )


def _address(settings: Settings) -> str:
    return f"http://{url_host(settings.http_host)}:{settings.http_port}"
