"""Stores the users, servers and channels of the fake Discord."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import (
    ENTRY_POINT_MISSING,
    MISSING_ACCESS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MEMBER,
    UNKNOWN_USER,
    RefusedError,
)
from bot.demo.fake_discord.state.channel import DM, GROUP, TEXT, Channel
from bot.demo.fake_discord.state.guild import Guild, everyone_role, role_payload
from bot.demo.fake_discord.state.guild_commands import GuildCommands
from bot.demo.fake_discord.state.members import Members
from bot.demo.fake_discord.state.user import JOINED, PERMISSIONS, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.demo.fake_discord.wire import Payload, Snowflakes

# The type of the command that opens an application's activity.
ENTRY_POINT = 4


class World:
    """All users, servers and channels.

    At first, there are only the bot, one person, one server and one channel.
    """

    def __init__(self, ids: Snowflakes) -> None:
        self._ids = ids
        self._users: dict[int, User] = {}
        self._channels: dict[int, Channel] = {}
        self.guilds: list[Guild] = []
        self.commands: list[Payload] = []
        self.members = Members()
        #: The role objects of each server, without @everyone.
        self.roles: dict[int, list[Payload]] = {}
        #: Fields of options that are accepted, but left out when commands are listed.
        self.hidden_fields: frozenset[str] = frozenset()
        self.team: Payload | None = None
        #: Pairs of a user id and a server id. The user of such a pair is not in the server.
        #: Apart from these pairs, every user is in every server.
        self.absent: set[tuple[int, int]] = set()
        #: Values that replace fields of the application object.
        self.application_fields: Payload = {}
        self.bot = self.add_user("clapper", bot=True)
        #: The commands that only one server has.
        self.guild_commands = GuildCommands(ids, application_id=self.bot.id)
        self.user = self.add_user("ada")
        self.guild = self.add_guild("Sandbox")
        self.channel = self.add_channel(self.guild)

    @property
    def application_id(self) -> int:
        """The application's id. For new applications, it is also the bot's id."""
        return self.bot.id

    def add_user(self, name: str, *, locale: str = "en-US", bot: bool = False) -> User:
        """Add a user."""
        user = User(id=self._ids.next(), name=name, locale=locale, bot=bot)
        self._users[user.id] = user
        return user

    def add_guild(
        self,
        name: str,
        *,
        locale: str = "en-US",
        installed: bool = True,
        has_bot: bool = True,
        premium_tier: int = 0,
    ) -> Guild:
        """Add a server. The bot sees it after the next login."""
        guild = Guild(
            id=self._ids.next(),
            name=name,
            locale=locale,
            installed=installed,
            has_bot=installed and has_bot,
            premium_tier=premium_tier,
        )
        self.guilds.append(guild)
        return guild

    def add_channel(
        self,
        guild: Guild,
        *,
        kind: int = TEXT,
        bot_permissions: str = PERMISSIONS,
        has_bot: bool = True,
        parent_id: int | None = None,
        is_age_restricted: bool = False,
    ) -> Channel:
        """Add a text or voice channel, or a thread."""
        channel = Channel(
            id=self._ids.next(),
            guild=guild,
            kind=kind,
            bot_permissions=bot_permissions,
            has_bot=has_bot,
            parent_id=parent_id,
            is_age_restricted=is_age_restricted,
        )
        return self._add(channel)

    def add_role(self, guild: Guild, name: str) -> Payload:
        """Add a role to a server, and return it as Discord's role object."""
        role = role_payload(self._ids.next(), name)
        self.roles.setdefault(guild.id, []).append(role)
        return role

    def add_group(self, *users: User) -> Channel:
        """Add a group conversation that has the bot's commands, but not the bot as a member."""
        return self._add(Channel(id=self._ids.next(), kind=GROUP, recipients=users))

    def dm(self, user: User) -> Channel:
        """Return the DM channel of the bot and a user."""
        for channel in self._channels.values():
            if channel.kind == DM and channel.recipients == (user,):
                return channel
        return self._add(Channel(id=self._ids.next(), kind=DM, recipients=(user,)))

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel."""
        del self._channels[channel.id]

    def find_user(self, user_id: int) -> User:
        """Return a user by id.

        Raises RefusedError if there is no such user.
        """
        if user_id not in self._users:
            raise RefusedError(UNKNOWN_USER)
        return self._users[user_id]

    def find_member(self, guild_id: int, user_id: int) -> Payload:
        """Return a member of a server, as Discord's member object.

        Raises RefusedError if the bot can't see such a member.
        """
        guild = next((guild for guild in self.guilds if guild.id == guild_id), None)
        if guild is None or not guild.has_bot:
            raise RefusedError(MISSING_ACCESS)
        user = self.find_user(user_id)
        if (user.id, guild.id) in self.absent:
            raise RefusedError(UNKNOWN_MEMBER)
        return self.members.payload(user, guild)

    def any_channel(self, channel_id: int) -> Channel:
        """Return a channel by id, even if the bot can't see the channel."""
        return self._channels[channel_id]

    def find_channel(self, channel_id: int) -> Channel:
        """Return a channel by id.

        Raises RefusedError if the channel is unknown, or if the bot can't see it.
        """
        channel = self._channels.get(channel_id)
        if channel is None:
            raise RefusedError(UNKNOWN_CHANNEL)
        is_elsewhere = channel.guild is not None and not channel.guild.has_bot
        no_way = is_elsewhere or channel.is_hidden or not channel.has_bot
        if channel.kind == GROUP or no_way:
            raise RefusedError(MISSING_ACCESS)
        return channel

    def sync(self, definitions: Iterable[Payload]) -> list[Payload]:
        """Replace all commands of the bot, and return the new ones with their ids."""
        definitions = list(definitions)
        kept = {command["id"] for command in self.commands if command["type"] == ENTRY_POINT}
        if not kept <= {definition.get("id") for definition in definitions}:
            raise RefusedError(ENTRY_POINT_MISSING)
        known = {command["name"]: command["id"] for command in self.commands}
        self.commands = [
            {
                "options": [],
                "type": 1,
                "description": "",
                **definition,
                "id": known.get(definition["name"]) or str(self._ids.next()),
                "application_id": str(self.application_id),
                "version": str(self._ids.next()),
            }
            for definition in definitions
        ]
        return self.commands

    def commands_in(self, channel: Channel) -> list[Payload]:
        """Return the commands that Discord offers in a channel."""
        guild = channel.guild
        return [*self.commands, *(self.guild_commands.list(guild.id) if guild else ())]

    def check_installed(self, guild_id: int) -> None:
        """Raise RefusedError unless the application is installed in the server."""
        if not any(guild.id == guild_id and guild.installed for guild in self.guilds):
            raise RefusedError(MISSING_ACCESS)

    def listed_commands(self) -> list[Payload]:
        """Return the bot's commands as Discord would list them."""
        if not self.hidden_fields:
            return self.commands
        return [
            command | {"options": [self._shown(option) for option in command.get("options", [])]}
            for command in self.commands
        ]

    def _shown(self, option: Payload) -> Payload:
        return {name: value for name, value in option.items() if name not in self.hidden_fields}

    def application(self) -> Payload:
        """Return Discord's application object."""
        return {
            "id": str(self.application_id),
            "name": "Clapper",
            "description": "",
            "icon": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "owner": self.user.payload(),
            "verify_key": "0" * 64,
            "team": self.team,
            "flags": 0,
            **self.application_fields,
        }

    def guild_create(self, guild: Guild) -> Payload:
        """Return the complete server object, which the gateway sends after a login."""
        channels = [
            channel.payload()
            for channel in self._channels.values()
            if channel.guild == guild and channel.kind == TEXT and not channel.is_hidden
        ]
        empty = ("emojis", "stickers", "threads", "voice_states", "presences", "features")
        return {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "owner_id": str(self.user.id),
            "preferred_locale": guild.locale,
            "premium_tier": guild.premium_tier,
            "unavailable": False,
            "large": False,
            "joined_at": JOINED,
            "member_count": len(self._users),
            "roles": [everyone_role(guild), *self.roles.get(guild.id, ())],
            "members": [self.bot.member()],
            "channels": channels,
            **{key: [] for key in empty},
        }

    def _add(self, channel: Channel) -> Channel:
        self._channels[channel.id] = channel
        return channel
