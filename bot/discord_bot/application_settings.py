"""Checks the application's settings in Discord's Developer Portal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bot.moderation.access.place import OrderFrom

if TYPE_CHECKING:
    from bot.moderation.access.place import Reach

_SERVERS, _PEOPLE = "0", "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalProblem:
    """A Portal setting that stops the bot from working, or allows uses that the bot refuses."""

    found: str
    advice: str


_PUBLIC = PortalProblem(
    found="Public Bot is on, which is wider than ALLOWED_SERVERS: other people can add the bot to "
    "their servers, where orders are refused",
    advice="choose None as Install Link on the Developer Portal's Installation page, then switch "
    "off Public Bot on its Bot page",
)


def portal_problems(application: Mapping[str, object], reach: Reach) -> list[PortalProblem]:
    """Return the problems with the settings in Discord's application object.

    Malformed fields are ignored.
    """
    problems: list[PortalProblem] = []
    if application.get("interactions_endpoint_url"):
        problems.append(
            PortalProblem(
                found="an Interactions Endpoint URL is set, so commands do not reach this bot",
                advice="empty Interactions Endpoint URL on the Developer Portal's General "
                "Information page",
            )
        )
    if application.get("bot_require_code_grant") is True:
        problems.append(
            PortalProblem(
                found="Requires OAuth2 Code Grant is on, so the bot can't be invited",
                advice="switch off Requires OAuth2 Code Grant on the Developer Portal's Bot page",
            )
        )
    if reach.allowed_servers and application.get("bot_public") is True:
        problems.append(_PUBLIC)
    contexts = application.get("integration_types_config")
    if isinstance(contexts, Mapping) and contexts:
        problems.extend(_install_problems(cast("Mapping[str, object]", contexts), reach))
    return problems


def _install_problems(contexts: Mapping[str, object], reach: Reach) -> list[PortalProblem]:
    problems = [] if _SERVERS in contexts else [_missing("Guild Install")]
    if reach.order_from is OrderFrom.EVERYWHERE:
        return problems if _PEOPLE in contexts else [*problems, _missing("User Install")]
    if _PEOPLE in contexts:
        problems.append(
            PortalProblem(
                found="User Install is on, which is wider than "
                f"ORDER_FROM={reach.order_from.value}: orders through it are refused",
                advice="untick User Install on the Developer Portal's Installation page, or set "
                "ORDER_FROM=everywhere",
            )
        )
    return problems


def _missing(name: str) -> PortalProblem:
    return PortalProblem(
        found=f"{name} is off, which the commands offer",
        advice=f"tick {name} on the Developer Portal's Installation page",
    )
