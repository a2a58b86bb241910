"""Records all requests and messages, and lets callers wait for changes."""

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
    """A request, and the status of the response to it.

    `at`: the Unix time of the request.
    `path`: the path below the API's base URL.
    `template`: the path with the names of its parameters, as in Discord's documentation.
    `json`: the JSON body, or the field `payload_json` of a `multipart` body.
    `arrived`: whether the whole body was received.
    `status`: the HTTP status, or 0 if no response was sent.
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
        """The method and template, such as "PATCH /channels/{channel_id}/messages/{message_id}"."""
        return f"{self.method} {self.template}"


class History:
    """Records all requests, in order of completion, and all messages, in order of creation.

    `on_message`: called with each message that is created, edited or deleted.
    `downloads`: the paths of the files that were downloaded from the CDN.
    """

    def __init__(self, on_message: Callable[[Message], None] | None = None) -> None:
        self.requests: list[Recorded] = []
        self.messages: list[Message] = []
        self.downloads: list[str] = []
        self._on_message = on_message
        self._changed = asyncio.Event()

    def wake_waiters(self) -> None:
        """Wake all tasks that wait for a change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def record_request(self, recorded: Recorded) -> None:
        """Record a request."""
        self.requests.append(recorded)
        self.wake_waiters()

    def record_download(self, path: str) -> None:
        """Record the download of a file."""
        self.downloads.append(path)
        self.wake_waiters()

    def record_message(self, message: Message) -> None:
        """Record that a message was created, edited or deleted."""
        if message not in self.messages:
            self.messages.append(message)
        if self._on_message is not None:
            self._on_message(message)
        self.wake_waiters()

    def operations(self, pattern: str = "") -> list[Recorded]:
        """Return the requests whose operation contains `pattern`."""
        return [recorded for recorded in self.requests if pattern in recorded.operation]

    async def wait_for(self, find: Callable[[], T | None], *, within: float = 10.0) -> T:
        """Call `find` after each change until it returns a true value, and return that value.

        Raises TimeoutError after `within` seconds. Its message contains the last requests.
        """
        try:
            async with asyncio.timeout(within):
                while not (found := find()):
                    await self._changed.wait()
        except TimeoutError:
            last = [f"{r.operation} {r.status}" for r in self.requests[-5:]]
            raise TimeoutError(f"nothing within {within} s; the last requests: {last}") from None
        return found
