"""Stores the commands that only one server has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import UNKNOWN_COMMAND, RefusedError

if TYPE_CHECKING:
    from bot.demo.fake_discord.wire import Payload, Snowflakes


class GuildCommands:
    """The commands that only one server has, for each server."""

    def __init__(self, ids: Snowflakes, *, application_id: int) -> None:
        self._ids = ids
        self._application_id = application_id
        self._commands: dict[int, dict[str, Payload]] = {}

    def list(self, guild_id: int) -> list[Payload]:
        """Return the commands that only the server with this id has."""
        return [*self._commands.get(guild_id, {}).values()]

    def put(self, guild_id: int, definition: Payload) -> tuple[Payload, bool]:
        """Add a command to a server, in place of any command with the same name.

        Returns the command, and whether its name is new.
        """
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
        """Delete a command of a server.

        Raises RefusedError if the server has no command with this id.
        """
        commands = self._commands.get(guild_id, {})
        for name, command in commands.items():
            if command["id"] == str(command_id):
                del commands[name]
                return
        raise RefusedError(UNKNOWN_COMMAND)
