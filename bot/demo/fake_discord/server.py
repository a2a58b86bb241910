"""Runs the fake Discord. The caller acts as its users, and sees its messages."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from bot.demo.fake_discord.api_errors import DM_CLOSED
from bot.demo.fake_discord.gateway.connection import Gateway
from bot.demo.fake_discord.gateway.interaction_events import (
    command_data,
    component_data,
    interaction_create,
    message_command_data,
    modal_data,
    typing_data,
)
from bot.demo.fake_discord.gateway.interactions import Interaction, InteractionKind, Interactions
from bot.demo.fake_discord.gateway.resolved import resolve_names
from bot.demo.fake_discord.rest.callbacks import Callbacks
from bot.demo.fake_discord.rest.faults import Faults
from bot.demo.fake_discord.rest.rate_limits import RateLimits
from bot.demo.fake_discord.rest.request_handler import RequestHandler
from bot.demo.fake_discord.rest.routes import RestRoutes
from bot.demo.fake_discord.state.cdn import ROUTE, Cdn
from bot.demo.fake_discord.state.history import History
from bot.demo.fake_discord.state.limits import DiscordLimits
from bot.demo.fake_discord.state.messages import MessageStore
from bot.demo.fake_discord.state.world import World
from bot.demo.fake_discord.uploads import StoredFile, Upload, Uploads
from bot.demo.fake_discord.wire import API, FakeDiscordError, Payload, Snowflakes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from bot.demo.fake_discord.gateway.interaction_events import Value
    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.guild import Guild
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User

T = TypeVar("T")
_HOST = "127.0.0.1"
_SHUTDOWN = 1.0


class FakeDiscord:
    """A fake Discord on this machine, to be used as `async with FakeDiscord(directory) as discord`.

    `directory`: the folder for uploaded files.
    `port`: the port to listen on, or 0 for any free port.
    `clock`: returns the current time in Unix seconds.
    `on_message`: called with each message that is created, edited or deleted.
    `limits`, `faults`, `rates`, `world`: tests can change them at any time.
    `history`: all requests and messages.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        on_message: Callable[[Message], None] | None = None,
    ) -> None:
        ids = Snowflakes(clock)
        self.limits = DiscordLimits()
        self.faults = Faults()
        self.rates = RateLimits(clock)
        self.world = World(ids)
        self.history = History(on_message)
        self.token = _token(self.world.application_id)
        self.gateway = Gateway(
            token=self.token, world=self.world, history=self.history, url=lambda: self.gateway_url
        )
        self._cdn = Cdn(ids=ids, clock=clock, limits=self.limits, base=lambda: self._base)
        self.messages = MessageStore(ids=ids, clock=clock, cdn=self._cdn, history=self.history)
        self._uploads = Uploads(directory, lambda: self.limits.upload_bytes)
        self.interactions = Interactions(ids=ids, clock=clock, limits=self.limits)
        self._clock = clock
        self._port = port
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_SHUTDOWN)

    @property
    def url(self) -> str:
        """The base URL of the REST API."""
        return f"{self._base}{API}"

    @property
    def gateway_url(self) -> str:
        """The URL of the gateway's WebSocket."""
        return f"ws://{_HOST}:{self._port}/"

    async def start(self) -> None:
        """Start listening. From now on, `url` is valid."""
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, self._port).start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Close all connections, and stop listening."""
        await self.gateway.drop()
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def slash(
        self,
        name: str,
        options: Mapping[str, Value] | None = None,
        *,
        user: User | None = None,
        where: Channel | None = None,
    ) -> Interaction:
        """Type a slash command ("video", "admin limits") as `user`, by default `world.user`.

        `where`: the channel, by default `world.channel`.

        Raises FakeDiscordError if the bot has not synced a command with these options.
        """
        values = options or {}
        attach = await self._store_uploads(values.values())
        who, channel = user or self.world.user, where or self.world.channel
        data = command_data(self.world.commands_in(channel), name, values, attach)
        data = resolve_names(self.world, channel, data)
        return self._send(self.interactions.open(InteractionKind.COMMAND, who, channel), data)

    async def complete(
        self,
        name: str,
        focused: str,
        typed: str,
        *,
        user: User | None = None,
    ) -> list[Payload]:
        """Type into an option of a slash command, and return the choices that the bot suggests.

        Raises FakeDiscordError if no bot has logged in, or if the option has no autocomplete.
        """
        data = typing_data(self.world.commands, name, focused, typed)
        asked = self.interactions.open(
            InteractionKind.AUTOCOMPLETE, user or self.world.user, self.world.channel
        )
        interaction = self._send(asked, data)
        await self.history.wait_for(lambda: interaction.choices is not None)
        return interaction.choices or []

    async def choose(self, name: str, message: Message, *, user: User | None = None) -> Interaction:
        """Choose a command in a message's context menu.

        Raises FakeDiscordError if no bot has logged in, or if the bot has no such command.
        """
        data = message_command_data(self.world.commands, name, message)
        who = user or self.world.user
        return self._send(
            self.interactions.open(InteractionKind.COMMAND, who, message.channel), data
        )

    async def click(
        self,
        message: Message,
        custom_id: str,
        *,
        user: User | None = None,
        values: Sequence[str] = (),
    ) -> Interaction:
        """Press a button on a message, or choose `values` in a select menu.

        Raises FakeDiscordError if the component is missing or disabled, or the message deleted.
        """
        component = next((c for c in message.components if c.get("custom_id") == custom_id), None)
        if component is None or component.get("disabled") or message.deleted:
            raise FakeDiscordError(f"{custom_id} can't be pressed")
        who = user or self.world.user
        interaction = self.interactions.open(
            InteractionKind.COMPONENT, who, message.channel, source=message
        )
        return self._send(interaction, component_data(component, values))

    async def submit(self, form: Interaction, values: Mapping[str, Value]) -> Interaction:
        """Submit the form with which the bot responded. `values`: the user's input, by custom_id.

        Raises FakeDiscordError if there is no form, or if the form lacks one of these fields.
        """
        if form.modal is None:
            raise FakeDiscordError("the bot has not answered with a form")
        attach = await self._store_uploads(values.values())
        data = modal_data(form.modal, values, attach)
        interaction = self.interactions.open(
            InteractionKind.MODAL, form.user, form.channel, source=form.source, form=form
        )
        return self._send(interaction, data)

    async def wait_for_bot(self, *, after: int = 0, within: float = 10.0) -> None:
        """Wait until a bot has synced its commands and logged in.

        `after`: the value that `gateway.identified` had before a restart.
        """
        await self.history.wait_for(
            lambda: self.gateway.identified > after and self.gateway.ready and self.world.commands,
            within=within,
        )

    async def wait_for(self, find: Callable[[], T | None], *, within: float = 10.0) -> T:
        """Wait until `find` returns a true value, and return that value.

        Raises TimeoutError if this takes longer than `within` seconds.
        """
        return await self.history.wait_for(find, within=within)

    async def answer_to(self, interaction: Interaction, *, within: float = 10.0) -> Message:
        """Wait until the bot has sent a response that isn't deferred, and return the response."""

        def answer() -> Message | None:
            message = interaction.message
            return None if message is None or message.loading else message

        return await self.history.wait_for(answer, within=within)

    def say(self, text: str, *, user: User | None = None, where: Channel | None = None) -> Message:
        """Post a message as a user. The bot gets no event about it."""
        who, channel = user or self.world.user, where or self.world.channel
        return self.messages.create(channel, who, {"content": text})

    def add_role(self, name: str, *, guild: Guild | None = None) -> int:
        """Add a role to a server, by default `world.guild`, and return the role's id."""
        where = guild or self.world.guild
        role = self.world.add_role(where, name)
        self.gateway.dispatch("GUILD_ROLE_CREATE", {"guild_id": str(where.id), "role": role})
        return int(role["id"])

    def dms(self, user: User | None = None) -> list[Message]:
        """Return the bot's DMs to a user."""
        channel = self.world.dm(user or self.world.user)
        return [message for message in self.history.messages if message.channel == channel]

    def close_dms(self, user: User | None = None) -> None:
        """Refuse all further DMs from the bot to a user."""
        channel = self.world.dm(user or self.world.user)
        self.faults.add(f"POST /channels/{channel.id}/messages", DM_CLOSED, times=None)

    @property
    def _base(self) -> str:
        return f"http://{_HOST}:{self._port}"

    def _send(self, interaction: Interaction, data: Payload) -> Interaction:
        event = interaction_create(interaction, data, self.world, self.limits)
        if not self.gateway.dispatch("INTERACTION_CREATE", event):
            raise FakeDiscordError("no bot has logged in")
        return interaction

    async def _store_uploads(self, values: Iterable[Value]) -> Callable[[Upload], Payload]:
        uploads = [value for value in values if isinstance(value, Upload)]
        stored: list[tuple[Upload, StoredFile]] = [
            (upload, await self._uploads.store(upload)) for upload in uploads
        ]

        def attach(upload: Upload) -> Payload:
            found = next(file for known, file in stored if known is upload)
            return self._cdn.publish(found, self.world.application_id, ephemeral=True)

        return attach

    def _app(self) -> web.Application:
        request_handler = RequestHandler(
            token=self.token,
            faults=self.faults,
            rate_limits=self.rates,
            history=self.history,
            uploads=self._uploads,
            clock=self._clock,
        )
        rest = RestRoutes(
            world=self.world,
            messages=self.messages,
            interactions=self.interactions,
            callbacks=Callbacks(messages=self.messages, world=self.world),
            gateway_url=lambda: self.gateway_url,
        )
        app = web.Application(middlewares=[request_handler.middleware()])
        app.add_routes([*rest.routes(), web.get(ROUTE, self._cdn.serve)])
        app.add_routes([web.get("/", self.gateway.serve)])
        return app


def _token(application_id: int) -> str:
    # The first part of a bot token is the application's id in base64.
    head = base64.b64encode(str(application_id).encode()).decode().rstrip("=")
    return f"{head}.sandbx.{'only-for-the-fake-discord'.ljust(38, '-')}"
