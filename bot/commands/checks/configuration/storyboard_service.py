"""Checks the renderer of the title cards if it is run as a service."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from bot.backends.capabilities import STORYBOARD
from bot.commands.checks.clip_terms import describe_lengths
from bot.commands.checks.findings import Finding, without_password

if TYPE_CHECKING:
    from bot.settings.fields import Settings

_SUBJECT = "VIDEO_BACKEND"
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_ADVICE = "run `python -m bot storyboard` there, or correct STORYBOARD_URL"


async def examine_storyboard(settings: Settings) -> Finding:
    """Request the list of clips at STORYBOARD_URL."""
    url, shown = settings.storyboard_url, without_password(settings.storyboard_url)
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(f"{url}/videos", params={"limit": "1"}) as response,
        ):
            status = response.status
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return _problem(f"no answer from {shown} ({type(error).__name__})")
    if status != HTTPStatus.OK:
        return _problem(f"{shown}/videos is answered with status {status}")
    updates = "webhooks possible" if settings.webhook_secrets else "polling only"
    lengths = describe_lengths(settings, STORYBOARD)
    return Finding(
        subject=_SUBJECT,
        ok=True,
        found=f"storyboard: title cards made at {shown}, at no cost{lengths}, {updates}",
    )


def _problem(found: str) -> Finding:
    return Finding(subject=_SUBJECT, ok=False, found=f"storyboard: {found}", advice=_ADVICE)
