"""One message, with all that it ever said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.demo.fake_discord.state.components import every, text_of
from bot.demo.fake_discord.wire import IS_EPHEMERAL, IS_LOADING, Payload

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.world import Channel, User
    from bot.demo.fake_discord.uploads import StoredFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """What a message said from `at` (Unix seconds) on: Discord's message object, and its files."""

    at: float
    payload: Payload
    files: tuple[StoredFile, ...]


@dataclass(kw_only=True, slots=True, eq=False)
class Message:
    """One message; the last of its `versions` is what people see, unless it is `deleted`."""

    id: int
    channel: Channel
    author: User
    versions: list[Version] = field(default_factory=list[Version])
    deleted: bool = False

    @property
    def payload(self) -> Payload:
        """Discord's message object, as it is now."""
        return self.versions[-1].payload

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The files that it carries now."""
        return self.versions[-1].files

    @property
    def text(self) -> str:
        """What a person reads in it, line by line."""
        return text_of(self.payload)

    @property
    def components(self) -> list[Payload]:
        """All its components, out of their containers."""
        return list(every(self.payload["components"]))

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.payload["flags"] & IS_EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it only says that the bot is thinking."""
        return bool(self.payload["flags"] & IS_LOADING)
