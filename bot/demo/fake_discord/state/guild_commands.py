"""Keeps the commands that only one server has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import UNKNOWN_COMMAND, RefusedError

if TYPE_CHECKING:
    from bot.demo.fake_discord.wire import Payload, Snowflakes


class GuildCommands:
    """The commands of each server, by their names."""

    def __init__(self, ids: Snowflakes, *, application_id: int) -> None:
        self._ids = ids
        self._application_id = application_id
        self._commands: dict[int, dict[str, Payload]] = {}

    def list(self, guild_id: int) -> list[Payload]:
        """Return a server's commands."""
        return [*self._commands.get(guild_id, {}).values()]

    def put(self, guild_id: int, definition: Payload) -> tuple[Payload, bool]:
        """Add a command or replace the one of that name; return it, and whether it is new."""
        commands = self._commands.setdefault(guild_id, {})
        known = commands.get(definition["name"])
        command: Payload = {
            "options": [],
            "type": 1,
            "description": "",
            **definition,
            "id": known["id"] if known else str(self._ids.next()),
            "application_id": str(self._application_id),
            "guild_id": str(guild_id),
            "version": str(self._ids.next()),
        }
        commands[definition["name"]] = command
        return command, known is None

    def delete(self, guild_id: int, command_id: int) -> None:
        """Delete a command; RefusedError: the server has none with this id."""
        commands = self._commands.get(guild_id, {})
        for name, command in commands.items():
            if command["id"] == str(command_id):
                del commands[name]
                return
        raise RefusedError(UNKNOWN_COMMAND)
