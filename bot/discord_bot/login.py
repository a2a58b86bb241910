"""Logs in to Discord, or to what stands at DISCORD_API_URL instead, and stays connected."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.errors import DeliveryError, StartupError

if TYPE_CHECKING:
    from collections.abc import Generator

_API_SECONDS = 15
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


async def log_in(bot: discord.Client, token: str, *, api_url: str) -> None:
    """Log in to Discord, or to what stands at `api_url` instead.

    StartupError: it refuses the token, or isn't Discord. DeliveryError: it can't be reached now.
    """
    if api_url:
        await _point_discord_at(api_url)
    try:
        with _explaining():
            await bot.login(token)
    except DeliveryError:
        await _let_go(bot)
        raise


async def ask_name(token: str, *, api_url: str) -> str:
    """Return the name of the bot that a token belongs to; nothing else comes of it.

    TokenRefusedError: it is nobody's. StartupError: that isn't Discord. DeliveryError: it can't be
    reached now.
    """
    if api_url:
        await _point_discord_at(api_url)
    async with discord.Client(intents=discord.Intents.none()) as client:
        with _explaining():
            user = await client.http.static_login(token)
    return user["username"]


class TokenRefusedError(StartupError):
    """Discord knows no bot with this token."""


@contextmanager
def _explaining() -> Generator[None]:
    try:
        yield
    except discord.LoginFailure as error:
        raise TokenRefusedError(
            "DISCORD_TOKEN: Discord refuses it; copy it anew from the Developer Portal, page Bot."
        ) from error
    except (aiohttp.ClientError, OSError, discord.HTTPException) as error:
        raise DeliveryError(f"Discord can't be reached ({type(error).__name__})") from error


async def _let_go(bot: discord.Client) -> None:
    """Close what an attempt to log in has opened: the next one opens its own."""
    await bot.http.close()
    bot.http.connector = discord.utils.MISSING


async def stay_connected(bot: discord.Client) -> None:
    """Hold the gateway open through every interruption that may pass.

    StartupError: Discord has closed it for good, for instance because the token was reset.
    """
    try:
        await bot.connect()
    except discord.ConnectionClosed as error:
        raise StartupError(
            f"Discord has closed the connection for good (code {error.code}): check DISCORD_TOKEN "
            "and the bot's page in the Developer Portal. Open jobs go on after the next start."
        ) from error


async def _point_discord_at(api_url: str) -> None:
    """Make discord.py talk to another REST base, and to the gateway that it names.

    discord.py keeps both in class attributes: the one place where we write module state.
    StartupError: what is there does not answer like Discord. DeliveryError: nothing is there now.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_API_SECONDS)) as session,
            session.get(f"{api_url}/gateway") as response,
        ):
            if response.status == _TOO_MANY_REQUESTS or response.status >= _SERVER_ERROR:
                raise DeliveryError(f"{api_url} answers {response.status}")
            gateway = _gateway_in(await response.json())
    except (aiohttp.ContentTypeError, ValueError) as error:
        raise StartupError(
            f"DISCORD_API_URL: {api_url}/gateway does not answer like Discord "
            f"({type(error).__name__}); leave it empty for Discord itself."
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise DeliveryError(f"{api_url} can't be reached ({type(error).__name__})") from error
    Route.BASE = api_url
    DiscordWebSocket.DEFAULT_GATEWAY = gateway


def _gateway_in(body: object) -> URL:
    match body:
        case {"url": str(url)} if (gateway := URL(url)).scheme in {"ws", "wss"} and gateway.host:
            return gateway
        case _:
            raise ValueError("no gateway")
