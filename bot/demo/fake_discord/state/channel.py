"""Defines a channel of a server, or of a conversation between people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.fake_discord.state.user import JOINED, PERMISSIONS

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.guild import Guild
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.wire import Payload

TEXT, DM, VOICE, GROUP, THREAD, PRIVATE_THREAD = 0, 1, 2, 3, 11, 12
VIEW_CHANNEL, ATTACH_FILES, CONNECT = 1 << 10, 1 << 15, 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A text or voice channel, a thread, or a conversation between `recipients`.

    `bot_permissions`: the bot's permissions in the channel.
    `has_bot`: whether the bot was added to the private thread.
    `parent_id`: the category of a channel, or the channel of a thread.
    """

    id: int
    kind: int = TEXT
    guild: Guild | None = None
    recipients: tuple[User, ...] = ()
    bot_permissions: str = PERMISSIONS
    has_bot: bool = True
    parent_id: int | None = None
    is_age_restricted: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether the bot lacks the permission to see or enter the channel."""
        # A voice channel's text chat can only be read with the permission to connect.
        required = VIEW_CHANNEL | (CONNECT if self.kind == VOICE else 0)
        return int(self.bot_permissions) & required != required

    @property
    def takes_files(self) -> bool:
        """Whether the bot may attach files."""
        return bool(int(self.bot_permissions) & ATTACH_FILES)

    def payload(self) -> Payload:
        """Return the channel as Discord's channel object."""
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
            "parent_id": str(self.parent_id) if self.parent_id else None,
            "nsfw": self.is_age_restricted,
            "flags": 0,
        }
        if self.kind == VOICE:
            return payload | {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
        is_thread = self.kind in {THREAD, PRIVATE_THREAD}
        return payload | (_thread_fields(self.guild, self.parent_id) if is_thread else {})


def _thread_fields(guild: Guild, parent_id: int | None) -> Payload:
    """Return the fields that only the objects of threads have."""
    return {
        "parent_id": str(parent_id or guild.id),
        "owner_id": str(guild.id),
        "message_count": 0,
        "member_count": 1,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 1440,
            "archive_timestamp": JOINED,
            "locked": False,
        },
    }
