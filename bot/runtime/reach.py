"""Reads the settings that say in which parts of Discord people may order videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.moderation.access.place import OrderFrom, Reach

if TYPE_CHECKING:
    from bot.settings.fields import Settings


def reach_of(settings: Settings) -> Reach:
    """Return the places in Discord where people may order videos."""
    return Reach(
        order_from=OrderFrom(settings.order_from), allowed_servers=settings.allowed_server_ids
    )
