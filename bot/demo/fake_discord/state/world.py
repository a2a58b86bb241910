"""Who and where: the people, servers and channels of the stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import (
    MISSING_ACCESS,
    UNKNOWN_CHANNEL,
    UNKNOWN_USER,
    RefusedError,
)
from bot.demo.fake_discord.state.guild_payloads import (
    JOINED,
    PERMISSIONS,
    everyone_role,
    thread_fields,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.demo.fake_discord.wire import Payload, Snowflakes

TEXT, DM, VOICE, GROUP, THREAD, PRIVATE_THREAD = 0, 1, 2, 3, 11, 12
VIEW_CHANNEL, ATTACH_FILES, CONNECT = 1 << 10, 1 << 15, 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person, or the bot; `locale` is the language of their client."""

    id: int
    name: str
    locale: str = "en-US"
    bot: bool = False

    def payload(self) -> Payload:
        """Return Discord's user object."""
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }

    def member(self) -> Payload:
        """Return Discord's member object."""
        return {
            "user": self.payload(),
            "roles": [],
            "joined_at": JOINED,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": PERMISSIONS,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Guild:
    """A server; where `installed` is false, only the person has installed the app.

    `has_bot` is false where the app was installed without its bot: it has commands only.
    """

    id: int
    name: str
    locale: str = "en-US"
    installed: bool = True
    has_bot: bool = True
    premium_tier: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A text channel or a thread of a server, or a conversation between `recipients`.

    `bot_permissions` are what the bot may do there; `has_bot`: it was added to a private thread.
    """

    id: int
    kind: int = TEXT
    guild: Guild | None = None
    recipients: tuple[User, ...] = ()
    bot_permissions: str = PERMISSIONS
    has_bot: bool = True

    @property
    def is_hidden(self) -> bool:
        """Whether the bot can't see it."""
        permissions = int(self.bot_permissions)
        # To read the text chat of a voice channel one has to be allowed to connect.
        no_entry = self.kind == VOICE and not permissions & CONNECT
        return no_entry or not permissions & VIEW_CHANNEL

    @property
    def takes_files(self) -> bool:
        """Whether the bot may attach files."""
        return bool(int(self.bot_permissions) & ATTACH_FILES)

    def payload(self) -> Payload:
        """Return Discord's channel object."""
        if self.guild is None:
            recipients = [user.payload() for user in self.recipients]
            return {"id": str(self.id), "type": self.kind, "recipients": recipients, "flags": 0}
        payload: Payload = {
            "id": str(self.id),
            "type": self.kind,
            "guild_id": str(self.guild.id),
            "name": "general",
            "position": 0,
            "permission_overwrites": [],
            "permissions": PERMISSIONS,
            "flags": 0,
        }
        if self.kind == VOICE:
            return payload | {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
        is_thread = self.kind in {THREAD, PRIVATE_THREAD}
        return payload | (thread_fields(self.guild) if is_thread else {})


class World:
    """Everything that exists; it starts with the bot, one person, one server and one channel."""

    def __init__(self, ids: Snowflakes) -> None:
        self._ids = ids
        self._users: dict[int, User] = {}
        self._channels: dict[int, Channel] = {}
        self.guilds: list[Guild] = []
        self.commands: list[Payload] = []
        self.team: Payload | None = None
        self.bot = self.add_user("clapper", bot=True)
        self.user = self.add_user("ada")
        self.guild = self.add_guild("Sandbox")
        self.channel = self.add_channel(self.guild)

    @property
    def application_id(self) -> int:
        """The app has the id of its bot, as modern ones do."""
        return self.bot.id

    def add_user(self, name: str, *, locale: str = "en-US", bot: bool = False) -> User:
        """Let somebody join."""
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
        """Open a server; a bot that is logged in learns of it at its next login."""
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
    ) -> Channel:
        """Open a text or voice channel, or a thread."""
        channel = Channel(
            id=self._ids.next(),
            guild=guild,
            kind=kind,
            bot_permissions=bot_permissions,
            has_bot=has_bot,
        )
        return self._keep(channel)

    def add_group(self, *users: User) -> Channel:
        """Open a conversation that the bot is not in, though its commands are."""
        return self._keep(Channel(id=self._ids.next(), kind=GROUP, recipients=users))

    def dm(self, user: User) -> Channel:
        """Return the conversation between the bot and somebody."""
        for channel in self._channels.values():
            if channel.kind == DM and channel.recipients == (user,):
                return channel
        return self._keep(Channel(id=self._ids.next(), kind=DM, recipients=(user,)))

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel, with all that was said in it."""
        del self._channels[channel.id]

    def find_user(self, user_id: int) -> User:
        """Return somebody by id, or refuse as Discord does."""
        if user_id not in self._users:
            raise RefusedError(UNKNOWN_USER)
        return self._users[user_id]

    def find_channel(self, channel_id: int) -> Channel:
        """Return a channel that the bot may use, or refuse as Discord does."""
        channel = self._channels.get(channel_id)
        if channel is None:
            raise RefusedError(UNKNOWN_CHANNEL)
        is_elsewhere = channel.guild is not None and not channel.guild.has_bot
        no_way = is_elsewhere or channel.is_hidden or not channel.has_bot
        if channel.kind == GROUP or no_way:
            raise RefusedError(MISSING_ACCESS)
        return channel

    def sync(self, definitions: Iterable[Payload]) -> list[Payload]:
        """Replace all commands, and return them with their ids."""
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
        }

    def guild_create(self, guild: Guild) -> Payload:
        """Return a server in full, as the gateway sends it after a login."""
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
            "roles": [everyone_role(guild)],
            "members": [self.bot.member()],
            "channels": channels,
            **{key: [] for key in empty},
        }

    def _keep(self, channel: Channel) -> Channel:
        self._channels[channel.id] = channel
        return channel


@dataclass(kw_only=True, slots=True)
class DiscordLimits:
    """Discord's numbers, for tests to change: bytes and seconds.

    `announced_bytes` is what an interaction says of `upload_bytes`, which is what counts.
    """

    upload_bytes: int = 20 * 1024 * 1024
    announced_bytes: int = 20 * 1024 * 1024
    answer_within: float = 3.0
    token_life: float = 900.0
    attachment_life: float = 86_400.0
