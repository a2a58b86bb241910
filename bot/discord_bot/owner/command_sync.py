"""Offers the owner's commands in the servers that the operator has chosen, and only there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord
from discord.http import Route

from bot.discord_bot.command_definitions import are_alike

if TYPE_CHECKING:
    from collections.abc import Iterable

    from discord.http import HTTPClient

    from bot.discord_bot.command_definitions import Definition
    from storage.access.owner_servers import OwnerServerStore

log = logging.getLogger(__name__)

#: The name of the command group for the bot's owner.
OWNER_GROUP = "clapper-owner"
_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"
# These are fields of global commands. A command of a single server has no such fields, or doesn't
# need them.
_GLOBAL_FIELDS = frozenset({"contexts", "integration_types", "dm_permission", "nsfw"})


class OwnerCommandSync:
    """Sends the owner's commands to the chosen servers, and deletes them in all others.

    If the bot is not in one of the servers, that server is logged, and the others still get the
    commands. Other commands in these servers are not changed.
    """

    def __init__(self, http: HTTPClient, application: int, store: OwnerServerStore) -> None:
        self._http = http
        self._application = application
        self._store = store

    async def sync(self, servers: Iterable[int], definition: Definition | None) -> None:
        """Offer the commands in `servers` only, or in no server if `definition` is None."""
        wanted = frozenset(servers) if definition else frozenset[int]()
        known = await self._store.all(self._application)
        for server_id in sorted(known - wanted):
            await self._remove(server_id)
        for server_id in sorted(wanted):
            await self._offer(server_id, _of_server(definition or {}))

    async def _offer(self, server_id: int, definition: Definition) -> None:
        found = await self._find(server_id)
        if found is None:
            log.warning(
                "owner.no_server server=%d advice='invite the bot to this server of OWNER_SERVERS, "
                "or remove the server from the setting'",
                server_id,
            )
            return
        await self._store.add(self._application, server_id)
        if are_alike([_of_server(command) for command in found], [definition]):
            log.info("owner.commands_unchanged server=%d", server_id)
            return
        await self._http.upsert_guild_command(self._application, server_id, definition)
        log.info("owner.commands_synced server=%d", server_id)

    async def _remove(self, server_id: int) -> None:
        found = await self._find(server_id)
        if found is None:
            # The commands may come back if the bot is invited again. The next start will delete
            # them.
            log.info("owner.commands_unreachable server=%d", server_id)
            return
        for command in found:
            await self._http.delete_guild_command(self._application, server_id, command["id"])
        await self._store.delete(self._application, server_id)
        log.info("owner.commands_removed server=%d", server_id)

    async def _find(self, server_id: int) -> list[dict[str, Any]] | None:
        """Return the owner's commands in a server, or None if the bot has no access to it."""
        route = Route("GET", _COMMANDS, application_id=self._application, guild_id=server_id)
        try:
            found = await self._http.request(route, params={"with_localizations": "true"})
        except (discord.Forbidden, discord.NotFound):
            return None
        return [command for command in found if command["name"] == OWNER_GROUP]


def _of_server(definition: Definition) -> Definition:
    """Return a definition without the fields that the command of a single server does not have."""
    return {name: value for name, value in definition.items() if name not in _GLOBAL_FIELDS}
