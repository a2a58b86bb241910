"""Implements the routes of Discord's REST API that the bot uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.demo.fake_discord.api_errors import (
    MISSING_PERMISSIONS,
    NOT_THE_AUTHOR,
    UNKNOWN_APPLICATION,
    UNKNOWN_MESSAGE,
    RefusedError,
    invalid_form,
)
from bot.demo.fake_discord.rest.guild_commands import GuildCommandRoutes
from bot.demo.fake_discord.rest.request_handler import BODY
from bot.demo.fake_discord.wire import API

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.demo.fake_discord.gateway.interactions import Interaction, Interactions
    from bot.demo.fake_discord.rest.callbacks import Callbacks
    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.messages import MessageStore
    from bot.demo.fake_discord.state.world import World
    from bot.demo.fake_discord.uploads import RequestBody
    from bot.demo.fake_discord.wire import Payload

TRUE = ("1", "true")
HISTORY = 50
_LATEST = 1 << 63


class RestRoutes:
    """The handlers of the routes. Each returns a response or raises RefusedError."""

    def __init__(
        self,
        *,
        world: World,
        messages: MessageStore,
        interactions: Interactions,
        callbacks: Callbacks,
        gateway_url: Callable[[], str],
    ) -> None:
        self._world = world
        self._messages = messages
        self._interactions = interactions
        self._callbacks = callbacks
        self._gateway_url = gateway_url

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        commands = f"{API}/applications/{{application_id}}/commands"
        callback = f"{API}/interactions/{{interaction_id}}/{{interaction_token}}/callback"
        webhook = f"{API}/webhooks/{{webhook_id}}/{{webhook_token}}"
        channel = f"{API}/channels/{{channel_id}}/messages"
        routes = [
            web.get(f"{API}/gateway", self.gateway),
            web.get(f"{API}/users/@me", self.me),
            web.get(f"{API}/users/{{user_id}}", self.user),
            web.get(f"{API}/oauth2/applications/@me", self.application),
            web.get(f"{API}/guilds/{{guild_id}}/members/{{user_id}}", self.member),
            web.get(commands, self.list_commands),
            web.put(commands, self.sync_commands),
            *GuildCommandRoutes(self._world).routes(),
            web.post(callback, self.call_back),
            web.post(webhook, self.follow_up),
            web.post(f"{API}/users/@me/channels", self.open_dm),
            web.get(channel, self.history),
            web.post(channel, self.post),
        ]
        # aiohttp uses the first route that matches, so "@original" must precede the ids.
        for path in (f"{webhook}/messages/@original", f"{webhook}/messages/{{message_id}}"):
            routes.append(web.get(path, self.get_webhook_message))
            routes.append(web.patch(path, self.edit_webhook_message))
            routes.append(web.delete(path, self.delete_webhook_message))
        path = f"{channel}/{{message_id}}"
        routes.append(web.get(path, self.get))
        routes.append(web.patch(path, self.edit))
        routes.append(web.delete(path, self.delete))
        return routes

    async def gateway(self, request: web.Request) -> web.Response:
        """Handle `GET /gateway`."""
        del request
        return _json({"url": self._gateway_url()})

    async def me(self, request: web.Request) -> web.Response:
        """Handle `GET /users/@me`."""
        del request
        return _json(self._world.bot.payload())

    async def user(self, request: web.Request) -> web.Response:
        """GET /users/{user_id}."""
        return _json(self._world.find_user(_number(request, "user_id")).payload())

    async def application(self, request: web.Request) -> web.Response:
        """Handle `GET /oauth2/applications/@me`."""
        del request
        return _json(self._world.application())

    async def member(self, request: web.Request) -> web.Response:
        """Handle `GET /guilds/{guild_id}/members/{user_id}`."""
        guild_id, user_id = _number(request, "guild_id"), _number(request, "user_id")
        return _json(self._world.find_member(guild_id, user_id))

    async def list_commands(self, request: web.Request) -> web.Response:
        """Handle `GET /applications/{application_id}/commands`."""
        self._check_application(request, "application_id")
        if request.query.get("with_localizations") in TRUE:
            return _json(self._world.listed_commands())
        return _json([_unlocalised(command) for command in self._world.listed_commands()])

    async def sync_commands(self, request: web.Request) -> web.Response:
        """Handle `PUT /applications/{application_id}/commands`."""
        self._check_application(request, "application_id")
        return _json(self._world.sync(request[BODY].json or []))

    async def call_back(self, request: web.Request) -> web.Response:
        """Handle `POST /interactions/{interaction_id}/{interaction_token}/callback`."""
        body = _body(request)
        interaction = self._interactions.unanswered(
            _number(request, "interaction_id"), request.match_info["interaction_token"]
        )
        result = self._callbacks.respond(interaction, body.json, body.files)
        return _json(result) if request.query.get("with_response") in TRUE else _no_content()

    async def follow_up(self, request: web.Request) -> web.Response:
        """Handle `POST /webhooks/{webhook_id}/{webhook_token}`."""
        body = _body(request)
        message = self._callbacks.follow_up(self._answered(request), body.json, body.files)
        return _json(message.payload) if request.query.get("wait") in TRUE else _no_content()

    async def get_webhook_message(self, request: web.Request) -> web.Response:
        """Handle `GET /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}`.

        The message id can also be `@original`.
        """
        return _json(self._webhook_message(request).payload)

    async def edit_webhook_message(self, request: web.Request) -> web.Response:
        """Handle `PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}`."""
        body, message = _body(request), self._webhook_message(request)
        _check_files(body, message.channel)
        self._messages.edit(message, body.json, body.files)
        return _json(message.payload)

    async def delete_webhook_message(self, request: web.Request) -> web.Response:
        """Handle `DELETE /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}`."""
        self._messages.delete(self._webhook_message(request))
        return _no_content()

    async def open_dm(self, request: web.Request) -> web.Response:
        """Handle `POST /users/@me/channels`."""
        recipient = str(_body(request).json.get("recipient_id"))
        if not recipient.isdecimal():
            raise invalid_form("recipient_id", "not a snowflake")
        return _json(self._world.dm(self._world.find_user(int(recipient))).payload())

    async def history(self, request: web.Request) -> web.Response:
        """Handle `GET /channels/{channel_id}/messages`."""
        found = self._messages.history(
            self._channel(request),
            limit=int(request.query.get("limit", HISTORY)),
            before=int(request.query.get("before", _LATEST)),
            after=int(request.query.get("after", 0)),
        )
        return _json([message.payload for message in found])

    async def post(self, request: web.Request) -> web.Response:
        """Handle `POST /channels/{channel_id}/messages`."""
        body, channel = _body(request), self._channel(request)
        _check_files(body, channel)
        message = self._messages.create(channel, self._world.bot, body.json, body.files)
        return _json(message.payload)

    async def get(self, request: web.Request) -> web.Response:
        """Handle `GET /channels/{channel_id}/messages/{message_id}`."""
        return _json(self._message(request).payload)

    async def edit(self, request: web.Request) -> web.Response:
        """Handle `PATCH /channels/{channel_id}/messages/{message_id}`."""
        body, message = _body(request), self._message(request)
        if message.author != self._world.bot:
            raise RefusedError(NOT_THE_AUTHOR)
        _check_files(body, message.channel)
        self._messages.edit(message, body.json, body.files)
        return _json(message.payload)

    async def delete(self, request: web.Request) -> web.Response:
        """Handle `DELETE /channels/{channel_id}/messages/{message_id}`."""
        self._messages.delete(self._message(request))
        return _no_content()

    def _channel(self, request: web.Request) -> Channel:
        return self._world.find_channel(_number(request, "channel_id"))

    def _message(self, request: web.Request) -> Message:
        return self._messages.find(_number(request, "message_id"), self._channel(request))

    def _answered(self, request: web.Request) -> Interaction:
        self._check_application(request, "webhook_id")
        return self._interactions.answered(request.match_info["webhook_token"])

    def _webhook_message(self, request: web.Request) -> Message:
        interaction = self._answered(request)
        original = interaction.message
        wanted = request.match_info.get("message_id") or str(original and original.id)
        for message in (original, *interaction.followups):
            if message is not None and str(message.id) == wanted:
                return self._messages.find(message.id)
        raise RefusedError(UNKNOWN_MESSAGE)

    def _check_application(self, request: web.Request, key: str) -> None:
        if _number(request, key) != self._world.application_id:
            raise RefusedError(UNKNOWN_APPLICATION)


def _body(request: web.Request) -> RequestBody:
    body = request[BODY]
    if not isinstance(body.json, dict):
        raise invalid_form("body", "not an object")
    return body


def _check_files(body: RequestBody, channel: Channel) -> None:
    if body.files and not channel.takes_files:
        raise RefusedError(MISSING_PERMISSIONS)


def _number(request: web.Request, key: str) -> int:
    text = request.match_info[key]
    if not text.isdecimal():
        raise invalid_form(key, "not a snowflake")
    return int(text)


def _unlocalised(entry: Payload) -> Payload:
    """Return a command, an option or a choice without its translations."""
    kept = {key: value for key, value in entry.items() if not key.endswith("_localizations")}
    parts = {
        key: [_unlocalised(part) for part in kept[key]]
        for key in ("options", "choices")
        if key in kept
    }
    return kept | parts


def _json(data: Payload | list[Payload]) -> web.Response:
    # discord.py compares the whole header, so it must not contain a charset.
    answer = web.json_response(data)
    answer.headers["Content-Type"] = "application/json"
    return answer


def _no_content() -> web.Response:
    return web.Response(status=204)
