"""Logs in to Discord, or to another server if DISCORD_API_URL is set."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.discord_bot.application_settings import PortalProblem, portal_problems
from bot.errors import DeliveryError, StartupError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from bot.moderation.access.place import Reach

log = logging.getLogger(__name__)

_API_SECONDS = 15
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_UNAUTHORIZED = 401


async def log_in(bot: discord.Client, token: str, *, api_url: str) -> None:
    """Log in to Discord, or to the server at `api_url` if it is set.

    Raises StartupError if the server refuses the token or does not respond like Discord. Raises
    DeliveryError if the server can't be reached at the moment.
    """
    if api_url:
        await _set_api_url(api_url)
    try:
        with _translating_errors():
            await bot.login(token)
    except Exception:  # `setup_hook` may raise any error, and the session must be closed then
        await _close_http(bot)
        raise


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The bot account that a token belongs to.

    `problems`: the problems with its settings in the Developer Portal, or None if these settings
    could not be read.
    """

    name: str
    problems: list[PortalProblem] | None


async def fetch_account(
    token: str, *, api_url: str, reach: Reach, owner_servers: Iterable[int] = ()
) -> Account:
    """Return the account that a token belongs to, without connecting to the gateway.

    `owner_servers`: the servers of OWNER_SERVERS. Each of them that the bot is not in counts as a
    problem.
    Raises TokenRefusedError if the token is invalid, and StartupError if the server does not
    respond like Discord. Raises DeliveryError if the server can't be reached at the moment.
    """
    if api_url:
        await _set_api_url(api_url)
    async with discord.Client(intents=discord.Intents.none()) as bot:
        with _translating_errors():
            name = str((await bot.http.static_login(token))["username"])
        try:
            with _translating_errors():
                application = dict(await bot.http.application_info())
                problems = portal_problems(application, reach)
                for server_id in sorted(owner_servers):
                    if not await _is_in(bot, int(str(application["id"])), server_id):
                        problems.append(_not_in(server_id))
        except DeliveryError:
            problems = None
    return Account(name=name, problems=problems)


async def _is_in(bot: discord.Client, application_id: int, server_id: int) -> bool:
    try:
        await bot.http.get_guild_commands(application_id, server_id)
    except (discord.Forbidden, discord.NotFound):
        return False
    return True


def _not_in(server_id: int) -> PortalProblem:
    return PortalProblem(
        found=f"the bot is not in the server {server_id} of OWNER_SERVERS, so the server has no "
        "/clapper-owner",
        advice="invite the bot to it, or remove it from OWNER_SERVERS",
    )


class TokenRefusedError(StartupError):
    """Discord refuses the bot's token."""


@contextmanager
def _translating_errors() -> Generator[None]:
    try:
        yield
    except discord.LoginFailure as error:
        raise _refused() from error
    except discord.HTTPException as error:
        if error.status == _UNAUTHORIZED:
            raise _refused() from error
        raise DeliveryError(_unreachable(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise DeliveryError(_unreachable(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # For example, the sign-in page of a network has status 200, but isn't what Discord would
        # send.
        log.exception("discord.strange_answer")
        raise DeliveryError(
            f"the server in Discord's place does not answer like Discord ({type(error).__name__}): "
            "check the network, and whether a proxy answers instead"
        ) from error


def _refused() -> TokenRefusedError:
    return TokenRefusedError(
        "DISCORD_TOKEN: Discord refuses it; copy it again from the Developer Portal's Bot page."
    )


def _unreachable(error: Exception) -> str:
    """Return a sentence that names the error and, if the cause is known, says what to check."""
    unreachable = f"Discord can't be reached ({type(error).__name__})"
    match error:
        case aiohttp.ClientConnectorDNSError():
            return (
                f"Discord's host name can't be resolved ({type(error).__name__}): check this "
                "machine's network and DNS settings"
            )
        case aiohttp.ClientSSLError():
            return (
                f"{unreachable}: its certificate is not accepted; check the machine's clock, and "
                "whether a proxy intercepts the connection"
            )
        case discord.HTTPException(status=403 | 429):
            return (
                f"{unreachable}: it blocks requests from this address; end other programs that use "
                "an invalid token, and wait for an hour"
            )
        case _:
            return unreachable


async def _close_http(bot: discord.Client) -> None:
    """Close the HTTP session after a failed login. The next attempt opens a new session."""
    await bot.http.close()
    bot.http.connector = discord.utils.MISSING


async def _set_api_url(api_url: str) -> None:
    """Make discord.py use the REST API at `api_url` and the gateway that this server names.

    discord.py stores both addresses in class attributes, so this function changes global state. It
    is the only function that does so.

    Raises StartupError if the server does not respond like Discord, and DeliveryError if it can't
    be reached.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_API_SECONDS)) as session,
            session.get(f"{api_url}/gateway") as response,
        ):
            if response.status == _TOO_MANY_REQUESTS or response.status >= _SERVER_ERROR:
                raise DeliveryError(f"{api_url} answers {response.status}")
            gateway = _gateway_url(await response.json())
    except (aiohttp.ContentTypeError, ValueError) as error:
        raise StartupError(
            f"DISCORD_API_URL: {api_url}/gateway does not answer like Discord "
            f"({type(error).__name__}); leave DISCORD_API_URL empty for Discord itself."
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise DeliveryError(f"{api_url} can't be reached ({type(error).__name__})") from error
    Route.BASE = api_url
    DiscordWebSocket.DEFAULT_GATEWAY = gateway


def _gateway_url(body: object) -> URL:
    match body:
        case {"url": str(url)} if (gateway := URL(url)).scheme in {"ws", "wss"} and gateway.host:
            return gateway
        case _:
            raise ValueError("no gateway")
