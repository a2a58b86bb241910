"""Stores all messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import UNKNOWN_MESSAGE, RefusedError
from bot.demo.fake_discord.state.message import Message, Version
from bot.demo.fake_discord.state.message_content import EMPTY, compose
from bot.demo.fake_discord.wire import IS_EPHEMERAL, IS_LOADING, Payload, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.demo.fake_discord.state.cdn import Cdn
    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.history import History
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.uploads import StoredFile
    from bot.demo.fake_discord.wire import Snowflakes

NONCE_LIFE = 300.0
MAX_HISTORY = 100


class MessageStore:
    """Creates, edits, finds and deletes messages, and records each change in the history."""

    def __init__(
        self, *, ids: Snowflakes, clock: Callable[[], float], cdn: Cdn, history: History
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._cdn = cdn
        self._history = history
        self._messages: dict[int, Message] = {}
        self._nonces: dict[tuple[int, str], Message] = {}

    def create(
        self,
        channel: Channel,
        author: User,
        body: Payload,
        files: Sequence[StoredFile] = (),
        *,
        fields: Payload | None = None,
    ) -> Message:
        """Post a message.

        `fields`: additional fields, such as the metadata of an interaction.

        If the body enforces a nonce that was used recently, the earlier message is returned
        instead.
        """
        nonce = str(body.get("nonce") or "")
        if body.get("enforce_nonce") and (first := self._by_nonce(channel, nonce)):
            return first
        message = Message(id=self._ids.next(), channel=channel, author=author)
        start = {**EMPTY, "flags": (body.get("flags") or 0) & IS_EPHEMERAL}
        content = compose(start, body, files, self._publisher(channel))
        fixed = self._fixed(message, nonce) | (fields or {})
        self._write(message, {**fixed, **content, "edited_timestamp": None})
        self._messages[message.id] = message
        if nonce:
            self._nonces[channel.id, nonce] = message
        return message

    def create_deferred(
        self, channel: Channel, author: User, flags: int, fields: Payload
    ) -> Message:
        """Post a deferred response, which says that the bot is thinking."""
        message = Message(id=self._ids.next(), channel=channel, author=author)
        flags = flags & IS_EPHEMERAL | IS_LOADING
        fixed = self._fixed(message, "") | fields
        self._write(message, {**fixed, **EMPTY, "flags": flags, "edited_timestamp": None})
        self._messages[message.id] = message
        return message

    def edit(self, message: Message, body: Payload, files: Sequence[StoredFile] = ()) -> None:
        """Edit a message. Keys that are missing from `body` change nothing."""
        content = compose(message.payload, body, files, self._publisher(message.channel))
        edited = None if message.loading else timestamp(self._clock())
        self._write(message, {**message.payload, **content, "edited_timestamp": edited})

    def delete(self, message: Message) -> None:
        """Delete a message. It stays in the history."""
        del self._messages[message.id]
        message.deleted = True
        self._history.record_message(message)

    def find(self, message_id: int, channel: Channel | None = None) -> Message:
        """Return a message by its id.

        Raises RefusedError if the message doesn't exist or isn't visible in `channel`.
        """
        message = self._messages.get(message_id)
        hidden = message and channel and (message.channel != channel or message.ephemeral)
        if message is None or hidden:
            raise RefusedError(UNKNOWN_MESSAGE)
        return message

    def history(self, channel: Channel, *, limit: int, before: int, after: int) -> list[Message]:
        """Return the messages in a channel between two ids, newest first."""
        found = [
            message
            for message in self._messages.values()
            if message.channel == channel and not message.ephemeral and after < message.id < before
        ]
        newest_first = sorted(found, key=lambda message: -message.id)
        return newest_first[: min(limit, MAX_HISTORY)]

    def _write(self, message: Message, payload: Payload) -> None:
        files = tuple(self._cdn.find(int(a["id"])) for a in payload["attachments"])
        message.versions.append(Version(at=self._clock(), payload=payload, files=files))
        self._history.record_message(message)

    def _fixed(self, message: Message, nonce: str) -> Payload:
        fixed: Payload = {
            "id": str(message.id),
            "channel_id": str(message.channel.id),
            "author": message.author.payload(),
            "type": 0,
            "timestamp": timestamp(self._clock()),
            "tts": False,
            "pinned": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
        }
        return fixed | {"nonce": nonce} if nonce else fixed

    def _by_nonce(self, channel: Channel, nonce: str) -> Message | None:
        message = self._nonces.get((channel.id, nonce))
        if message is None or self._clock() - message.versions[0].at > NONCE_LIFE:
            return None
        return message

    def _publisher(self, channel: Channel) -> Callable[[StoredFile, str], Payload]:
        return lambda stored, text: self._cdn.publish(stored, channel.id, description=text)
