"""Sends the command definitions to Discord if they have changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from discord.http import Route

from bot.discord_bot.command_definitions import (
    are_alike,
    digest,
    is_ours,
    may_be_alike,
    writable,
)

if TYPE_CHECKING:
    from discord.http import HTTPClient

    from bot.discord_bot.command_definitions import Definition
    from storage.sent_commands import SentCommandsStore

log = logging.getLogger(__name__)


async def sync_commands(
    http: HTTPClient, application: int, wanted: list[Definition], *, sent: SentCommandsStore
) -> None:
    """Send the command definitions to Discord, unless Discord already has the same definitions."""
    route = Route("GET", "/applications/{application_id}/commands", application_id=application)
    found = await http.request(route, params={"with_localizations": "true"})
    ours = [command for command in found if is_ours(command)]
    kept = [command for command in found if not is_ours(command)]
    if are_alike(ours, wanted) or (
        may_be_alike(ours, wanted) and await sent.read(application) == digest(wanted)
    ):
        log.info("discord.commands_unchanged commands=%d", len(wanted))
        return
    await http.bulk_upsert_global_commands(application, payload=[*wanted, *writable(kept)])
    await sent.save(application, digest(wanted))
    log.info("discord.commands_synced commands=%d", len(wanted))
