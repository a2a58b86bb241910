"""A gateway socket that skips unreadable frames, except those the connection depends on."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.utils import _from_json  # pyright: ignore[reportPrivateUsage] - what the library reads

_DISPATCH = DiscordWebSocket.DISPATCH
_READY, _CONTROL = "READY", "control"
# The op codes that the gateway sends: dispatch, heartbeat, reconnect, invalid session, HELLO,
# heartbeat ACK. They are in a list, because a malformed op may be unhashable.
_RECEIVED_OPS = [0, 1, 7, 9, 10, 11]
# Frames that are not events are short. Longer frames are events, and are parsed only by discord.py.
_MOST_CONTROL_CHARACTERS = 2000
# Discord asks for a heartbeat about every 41 s.
_LEAST_HEARTBEAT_MS, _MOST_HEARTBEAT_MS = 1000, 600_000
_LONGEST_NAME = 40


class UnreadableFrameError(Exception):
    """A frame on which the connection depends can't be read."""


class SocketClosedError(Exception):
    """The connection was closed with a code, or is lost."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with code {code}")
        self.code = code


class GatewaySocket(DiscordWebSocket):
    """A gateway connection that reports each skipped frame with the event `frame_skipped`."""

    async def received_message(self, msg: Any, /) -> None:  # noqa: ANN401 - as in discord.py
        """Handle a frame.

        UnreadableFrameError: the compressed stream is broken, or HELLO or READY is malformed.
        """
        text = self._inflated(msg) if isinstance(msg, bytes) else msg
        if text is None:
            return  # the rest of the frame has not arrived yet
        is_short = len(text) <= _MOST_CONTROL_CHARACTERS
        if (is_short or self._keep_alive is None) and not self._is_usable(_parsed(text)):
            return
        try:
            await super().received_message(text)
        except (ReconnectWebSocket, discord.ConnectionClosed, aiohttp.ClientError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - a malformed frame causes any
            self._skip(_name(_parsed(text)), error)

    async def poll_event(self) -> None:
        """Receive a frame and handle it. Any error closes the connection.

        SocketClosedError: the connection was closed, or silent for too long.
        """
        try:
            frame = await self.socket.receive(timeout=self._max_heartbeat_timeout)
            if frame.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                await self.received_message(frame.data)
                return
        except TimeoutError:
            frame = None
        except Exception:  # after any error, no more frames can be read
            await self.close()
            raise
        await self.close()
        # aiohttp's `close_code` is lost if Discord closes the connection without waiting for a
        # reply.
        is_close = frame is not None and frame.type is aiohttp.WSMsgType.CLOSE
        raise SocketClosedError(frame.data if frame and is_close else self.socket.close_code)

    def _inflated(self, compressed: bytes) -> str | None:
        try:
            return self._decompressor.decompress(compressed)
        except UnicodeDecodeError as error:
            self._dispatch("frame_skipped", "text", error)
            return None
        except Exception as error:  # zlib and zstd raise errors of their own
            raise UnreadableFrameError("the compressed stream is broken") from error

    def _is_usable(self, frame: object) -> bool:
        """Tell whether discord.py can handle a frame; UnreadableFrameError: HELLO is malformed."""
        match frame:
            case {"op": DiscordWebSocket.HELLO, "d": {"heartbeat_interval": int() | float() as ms}}:
                if not _LEAST_HEARTBEAT_MS <= ms <= _MOST_HEARTBEAT_MS:
                    raise UnreadableFrameError("HELLO has no usable heartbeat interval")
            case _ if self._keep_alive is None:
                raise UnreadableFrameError("the first frame was not HELLO")
            case {"op": object() as op} if op not in _RECEIVED_OPS:
                self._dispatch("frame_skipped", "unknown op", ValueError())
                return False
            case _:
                pass
        return True

    def _skip(self, name: str, error: Exception) -> None:
        """Report a frame as skipped, unless the connection depends on it."""
        if name in {_READY, _CONTROL}:
            if name == _READY:
                self.session_id = None  # discord.py's copy of the session is incomplete
            raise UnreadableFrameError(f"{name} can't be read") from error
        self._dispatch("frame_skipped", name, error)


def _parsed(text: str) -> object:
    """Return the JSON value of a text, or None if it is not valid JSON."""
    try:
        value: object = _from_json(text)
    except (ValueError, RecursionError):
        return None
    return value


def _name(frame: object) -> str:
    """Return the part of a frame's content that may be logged."""
    match frame:
        case {"op": object() as op} if op != _DISPATCH:
            return _CONTROL
        case {"t": str(event)} if event.isidentifier() and len(event) <= _LONGEST_NAME:
            return event
        case {}:
            return "unnamed"
        case _:
            return "text"
