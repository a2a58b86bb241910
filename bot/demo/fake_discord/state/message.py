"""Defines a message with all its versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.demo.fake_discord.state.components import text_of, walk
from bot.demo.fake_discord.wire import IS_EPHEMERAL, IS_LOADING, Payload

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.uploads import StoredFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A version of a message: its content and files.

    `at`: the Unix time at which users begin to see this version.
    """

    at: float
    payload: Payload
    files: tuple[StoredFile, ...]


@dataclass(kw_only=True, slots=True, eq=False)
class Message:
    """A message. Users see the last of its `versions`, unless it is `deleted`."""

    id: int
    channel: Channel
    author: User
    versions: list[Version] = field(default_factory=list[Version])
    deleted: bool = False

    @property
    def payload(self) -> Payload:
        """The current version, as Discord's message object."""
        return self.versions[-1].payload

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The files of the current version."""
        return self.versions[-1].files

    @property
    def text(self) -> str:
        """The visible text of the current version, line by line."""
        return text_of(self.payload)

    @property
    def components(self) -> list[Payload]:
        """All components of the current version, including those inside other components."""
        return list(walk(self.payload["components"]))

    @property
    def ephemeral(self) -> bool:
        """Whether only one user can see the message."""
        return bool(self.payload["flags"] & IS_EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether the message is a deferred response ("the bot is thinking")."""
        return bool(self.payload["flags"] & IS_LOADING)
