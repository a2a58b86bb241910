"""Translates the settings about the places of orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.moderation.access.place import OrderFrom, Reach

if TYPE_CHECKING:
    from bot.settings.fields import Settings


def reach_of(settings: Settings) -> Reach:
    """Return the places that the settings allow."""
    return Reach(
        order_from=OrderFrom(settings.order_from), allowed_servers=settings.allowed_server_ids
    )
