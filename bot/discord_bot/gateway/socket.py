"""A gateway socket that skips unreadable frames, except those the connection depends on."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.utils import _from_json  # pyright: ignore[reportPrivateUsage] - what the library reads

_DISPATCH = DiscordWebSocket.DISPATCH
_READY, _CONTROL = "READY", "control"
# The gateway sends these op codes: dispatch, heartbeat, reconnect, invalid session, HELLO, and
# heartbeat ACK. This is a list and not a set, because a malformed op code may be unhashable.
_RECEIVED_OPS = [0, 1, 7, 9, 10, 11]
# All frames except events are shorter than this. A longer frame is passed to discord.py without
# being parsed here first.
_MOST_CONTROL_CHARACTERS = 2000
# Discord usually asks for a heartbeat every 41 s. Values outside these limits are malformed.
_LEAST_HEARTBEAT_MS, _MOST_HEARTBEAT_MS = 1000, 600_000
_LONGEST_NAME = 40


class UnreadableFrameError(Exception):
    """A frame can't be read, and the connection can't continue without it."""


class SocketClosedError(Exception):
    """The connection was lost, or was closed with a code."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with code {code}")
        self.code = code


class GatewaySocket(DiscordWebSocket):
    """A gateway connection that skips unreadable frames.

    It dispatches the event `frame_skipped` for each of them.
    """

    async def received_message(self, msg: Any, /) -> None:  # noqa: ANN401 - as in discord.py
        """Handle a frame.

        Raises UnreadableFrameError if the compressed stream is broken, or if HELLO or READY is
        malformed.
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
        except Exception as error:  # noqa: BLE001 - a malformed frame can cause any error
            self._skip(_name(_parsed(text)), error)

    async def poll_event(self) -> None:
        """Receive and handle one frame. Any error closes the connection.

        Raises SocketClosedError if the connection was closed, or if nothing arrived for too long.
        """
        try:
            frame = await self.socket.receive(timeout=self._max_heartbeat_timeout)
            if frame.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                await self.received_message(frame.data)
                return
        except TimeoutError:
            frame = None
        except Exception:  # after an error, no more frames can be read
            await self.close()
            raise
        await self.close()
        # If Discord closes the connection without waiting for a reply, aiohttp loses the closing
        # code, so the code is read from the closing frame.
        is_close = frame is not None and frame.type is aiohttp.WSMsgType.CLOSE
        raise SocketClosedError(frame.data if frame and is_close else self.socket.close_code)

    def _inflated(self, compressed: bytes) -> str | None:
        try:
            return self._decompressor.decompress(compressed)
        except UnicodeDecodeError as error:
            self._dispatch("frame_skipped", "text", error)
            return None
        except Exception as error:  # zlib and zstd raise different errors
            raise UnreadableFrameError("the compressed stream is broken") from error

    def _is_usable(self, frame: object) -> bool:
        """Tell whether discord.py can handle a frame.

        Raises UnreadableFrameError if HELLO is malformed or missing.
        """
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
        """Report a frame as skipped.

        Raises UnreadableFrameError if the connection depends on the frame.
        """
        if name in {_READY, _CONTROL}:
            if name == _READY:
                self.session_id = None  # discord.py has stored only parts of this session
            raise UnreadableFrameError(f"{name} can't be read") from error
        self._dispatch("frame_skipped", name, error)


def _parsed(text: str) -> object:
    """Parse a JSON text, or return None if it is invalid."""
    try:
        value: object = _from_json(text)
    except (ValueError, RecursionError):
        return None
    return value


def _name(frame: object) -> str:
    """Name a frame by its event, or else by a general term. The name may be logged."""
    match frame:
        case {"op": object() as op} if op != _DISPATCH:
            return _CONTROL
        case {"t": str(event)} if event.isidentifier() and len(event) <= _LONGEST_NAME:
            return event
        case {}:
            return "unnamed"
        case _:
            return "text"
