"""Finds settings in Discord's Developer Portal that prevent the bot from working."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

_SERVERS, _PEOPLE = "0", "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalProblem:
    """A setting that prevents the bot from working, and the page on which to correct it."""

    found: str
    advice: str


def portal_problems(application: Mapping[str, object]) -> list[PortalProblem]:
    """Return the problems in Discord's application object; malformed fields are ignored."""
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
    contexts = application.get("integration_types_config")
    if isinstance(contexts, Mapping) and contexts:
        problems.extend(_install_problems(cast("Mapping[str, object]", contexts)))
    return problems


def _install_problems(contexts: Mapping[str, object]) -> list[PortalProblem]:
    missing = [
        name
        for key, name in ((_SERVERS, "Guild Install"), (_PEOPLE, "User Install"))
        if key not in contexts
    ]
    return [
        PortalProblem(
            found=f"{name} is off, which the commands offer",
            advice=f"tick {name} on the Developer Portal's Installation page",
        )
        for name in missing
    ]
