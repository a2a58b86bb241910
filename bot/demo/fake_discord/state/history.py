"""What happened: every request, every message with its edits, and a way to wait for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.uploads import StoredFile

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One request and how it was answered; `status` 0: it got no answer.

    `path` is relative to the API's base, and so is `template`, whose names are those of Discord's
    own document. `at` is in Unix seconds, `json` is `payload_json` when `multipart`; `arrived`: its
    body came in full.
    """

    at: float
    method: str
    path: str
    template: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    multipart: bool
    files: tuple[StoredFile, ...]
    arrived: bool
    status: int

    @property
    def operation(self) -> str:
        """Method and template, as in "PATCH /channels/{channel_id}/messages/{message_id}"."""
        return f"{self.method} {self.template}"


class History:
    """Keeps everything in order of completion; `on_message` is told of each new state of a message.

    `downloads` are the paths of files fetched from the CDN.
    """

    def __init__(self, on_message: Callable[[Message], None] | None = None) -> None:
        self.requests: list[Recorded] = []
        self.messages: list[Message] = []
        self.downloads: list[str] = []
        self._on_message = on_message
        self._changed = asyncio.Event()

    def note(self) -> None:
        """Wake whoever waits: something has changed."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def note_request(self, recorded: Recorded) -> None:
        """Write down a request that was answered."""
        self.requests.append(recorded)
        self.note()

    def note_download(self, path: str) -> None:
        """Write down that a file was fetched."""
        self.downloads.append(path)
        self.note()

    def note_message(self, message: Message) -> None:
        """Write down that a message was created, edited or deleted."""
        if message not in self.messages:
            self.messages.append(message)
        if self._on_message is not None:
            self._on_message(message)
        self.note()

    def operations(self, pattern: str = "") -> list[Recorded]:
        """Return the requests whose operation contains `pattern`."""
        return [recorded for recorded in self.requests if pattern in recorded.operation]

    async def wait_for(self, find: Callable[[], T | None], *, within: float = 10.0) -> T:
        """Return what `find` finds, as soon as it finds something; it is asked after each change.

        TimeoutError after `within` seconds, with the last requests in its text.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := find()):
                    await self._changed.wait()
        except TimeoutError:
            last = [f"{r.operation} {r.status}" for r in self.requests[-5:]]
            raise TimeoutError(f"nothing within {within} s; the last requests: {last}") from None
        return found
