"""Implements the REST routes for commands that only one server has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.demo.fake_discord.rest.request_handler import BODY
from bot.demo.fake_discord.wire import API

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.world import World

_OK, _CREATED = 200, 201


class GuildCommandRoutes:
    """The handlers of the routes. Each returns a response or raises RefusedError."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        path = f"{API}/applications/{{application_id}}/guilds/{{guild_id}}/commands"
        return [
            web.get(path, self.list),
            web.post(path, self.put),
            web.delete(f"{path}/{{command_id}}", self.delete),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Handle `GET /applications/{application_id}/guilds/{guild_id}/commands`."""
        answer = web.json_response(self._world.guild_commands.list(self._guild(request)))
        return _plain(answer)

    async def put(self, request: web.Request) -> web.Response:
        """Handle `POST /applications/{application_id}/guilds/{guild_id}/commands`."""
        command, is_new = self._world.guild_commands.put(self._guild(request), request[BODY].json)
        return _plain(web.json_response(command, status=_CREATED if is_new else _OK))

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /applications/{application_id}/guilds/{guild_id}/commands/{command_id}."""
        command_id = int(request.match_info["command_id"])
        self._world.guild_commands.delete(self._guild(request), command_id)
        return web.Response(status=204)

    def _guild(self, request: web.Request) -> int:
        guild_id = int(request.match_info["guild_id"])
        self._world.check_installed(guild_id)
        return guild_id


def _plain(answer: web.Response) -> web.Response:
    # discord.py compares the whole header, so it must not contain a charset.
    answer.headers["Content-Type"] = "application/json"
    return answer
