"""Checks the bot's token, and the application's settings in Discord's Developer Portal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.commands.checks.configuration.token_shape import COPY_AGAIN, looks_like_a_token
from bot.commands.checks.findings import Finding
from bot.discord_bot.login import TokenRefusedError, fetch_account
from bot.errors import DeliveryError, StartupError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.discord_bot.login import Account
    from bot.moderation.access.place import Reach

_LOGIN_SECONDS = 10
_TOKEN, _APPLICATION = "DISCORD_TOKEN", "application"


async def examine_account(
    token: str, api_url: str, reach: Reach, *, owner_servers: Iterable[int] = ()
) -> list[Finding]:
    """Check that Discord accepts the token, and that the application's settings suit the bot."""
    who = f"{_origin(api_url)} (DISCORD_API_URL)" if api_url else "Discord"
    if not token:
        advice = "copy it into .env from the Bot page of the Discord Developer Portal"
        return _refused("missing", advice)
    if not looks_like_a_token(token):
        return _refused("does not look like a bot token", COPY_AGAIN)
    try:
        async with asyncio.timeout(_LOGIN_SECONDS):
            account = await fetch_account(
                token, api_url=api_url, reach=reach, owner_servers=owner_servers
            )
    except TokenRefusedError:
        return _refused(
            f"{who} refuses it",
            "copy it again from the Developer Portal's Bot page: a reset voids the old token",
        )
    except (StartupError, DeliveryError, TimeoutError) as error:
        return _refused(
            f"looks right, but could not be checked with {who}",
            str(error) or f"no response from {who} within {_LOGIN_SECONDS} s: check the network",
        )
    accepted = Finding(subject=_TOKEN, ok=True, found=f"{who} accepts it: {account.name}")
    return [accepted, _application(account)]


def _application(account: Account) -> Finding:
    if account.problems is None:
        return Finding(
            subject=_APPLICATION,
            ok=False,
            found="its settings could not be read",
            advice="try again, and look at the application's pages in the Developer Portal",
        )
    return Finding(
        subject=_APPLICATION,
        ok=not account.problems,
        found="; ".join(problem.found for problem in account.problems) or "no problems found",
        advice="; ".join(problem.advice for problem in account.problems),
    )


def _refused(found: str, advice: str) -> list[Finding]:
    return [
        Finding(subject=_TOKEN, ok=False, found=found, advice=advice),
        Finding(
            subject=_APPLICATION,
            ok=True,
            checked=False,
            found="not checked: Discord must accept DISCORD_TOKEN first",
        ),
    ]


def _origin(url: str) -> str:
    """Return the scheme and the host of a URL, without a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
