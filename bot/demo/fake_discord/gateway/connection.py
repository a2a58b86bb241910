"""Implements Discord's gateway: logins, heartbeats, events, and sessions that can be resumed."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from bot.demo.fake_discord.state.history import History
    from bot.demo.fake_discord.state.world import World
    from bot.demo.fake_discord.wire import Payload

log = logging.getLogger(__name__)

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
UNKNOWN_ERROR, DECODE_ERROR, NOT_IDENTIFIED, BAD_TOKEN = 4000, 4002, 4003, 4004
HEARTBEAT_MS = 41_250
MAX_EVENTS = 1000
MAX_SESSIONS = 8
MAX_FRAME = 64 * 1024


@dataclass(kw_only=True, slots=True, eq=False)
class Session:
    """A session that IDENTIFY opened, with its numbered events and its current connection."""

    id: str
    events: deque[Payload] = field(default_factory=lambda: deque["Payload"](maxlen=MAX_EVENTS))
    seq: int = 0
    connection: GatewayConnection | None = None

    def add(self, event: str, data: Payload) -> None:
        """Store an event under the next number, and send it if the session is connected."""
        self.seq += 1
        frame: Payload = {"op": DISPATCH, "t": event, "s": self.seq, "d": data}
        self.events.append(frame)
        if self.connection is not None:
            self.connection.send(frame)

    def can_replay(self, after: int) -> bool:
        """Tell whether all events with a higher number than `after` are still stored."""
        return after <= self.seq and (not self.events or self.events[0]["s"] <= after + 1)


class GatewayConnection:
    """A bot's WebSocket connection. Its frames are queued, and sent in order by `write`."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._frames: asyncio.Queue[Payload | str | bytes] = asyncio.Queue(MAX_EVENTS)

    def send(self, frame: Payload | str | bytes) -> None:
        """Queue a frame to be sent. Text and bytes are sent unchanged."""
        self._frames.put_nowait(frame)

    async def write(self) -> None:
        """Send the queued frames until cancelled or disconnected."""
        while True:
            frame = await self._frames.get()
            if isinstance(frame, bytes):
                await self.socket.send_bytes(frame)
            else:
                await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))


class Gateway:
    """Accepts the connections of bots.

    `url` returns the address at which bots can resume their sessions.
    """

    def __init__(
        self, *, token: str, world: World, history: History, url: Callable[[], str]
    ) -> None:
        self._token = token
        self._world = world
        self._history = history
        self._url = url
        self._sessions: dict[str, Session] = {}
        self._connections: set[GatewayConnection] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.identified = 0
        self.resumed = 0
        #: Values that replace fields of READY. A field whose value is None is left out.
        self.ready_fields: Payload = {}
        #: Whether to imitate a broken gateway, which closes each connection that tries to resume.
        self.refuse_resumes = False

    @property
    def ready(self) -> bool:
        """Whether a bot is logged in and connected."""
        return any(session.connection is not None for session in self._sessions.values())

    def dispatch(self, event: str, data: Payload) -> bool:
        """Add an event to every session, connected or not.

        Returns False if there are no sessions.
        """
        for session in self._sessions.values():
            session.add(event, data)
        return bool(self._sessions)

    def send_frame(self, frame: Payload | str | bytes) -> None:
        """Send a frame that has no sequence number to every connected bot.

        Text and bytes are sent unchanged.
        """
        for connection in self._connections:
            connection.send(frame)

    async def drop(self, code: int = 4000) -> None:
        """Close all connections. Their sessions can be resumed later."""
        for connection in list(self._connections):
            await connection.socket.close(code=code)

    @asynccontextmanager
    async def away(self) -> AsyncGenerator[None]:
        """Close all connections, and accept no new ones until the end of the `with` block."""
        self._open.clear()
        try:
            await self.drop()
            yield
        finally:
            self._open.set()

    def forget_sessions(self) -> None:
        """Forget all sessions, so that the next RESUME fails with INVALID_SESSION."""
        self._sessions.clear()

    def ask_to_reconnect(self) -> None:
        """Send op 7, which Discord sends before it restarts a gateway."""
        for connection in self._connections:
            connection.send({"op": RECONNECT, "d": None})

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a bot's connection, from HELLO until the connection is closed."""
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME, compress=False)
        await socket.prepare(request)
        await self._open.wait()
        connection = GatewayConnection(socket)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write(), name="gateway writer")
        try:
            connection.send({"op": HELLO, "d": {"heartbeat_interval": HEARTBEAT_MS}})
            await self._read_frames(connection)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._connections.discard(connection)
            self._detach(connection)
        return socket

    async def _read_frames(self, connection: GatewayConnection) -> None:
        async for received in connection.socket:
            frame = _parse(received.data) if received.type is WSMsgType.TEXT else None
            if frame is None:
                await connection.socket.close(code=DECODE_ERROR)
            elif frame["op"] == HEARTBEAT:
                connection.send({"op": ACK})
            elif frame["op"] in {IDENTIFY, RESUME}:
                await self._log_in(connection, frame["op"], frame["d"])
            elif not any(session.connection is connection for session in self._sessions.values()):
                await connection.socket.close(code=NOT_IDENTIFIED)

    async def _log_in(self, connection: GatewayConnection, op: int, data: Payload) -> None:
        if data.get("token") != self._token:
            await connection.socket.close(code=BAD_TOKEN)
        elif op == IDENTIFY:
            self._identify(connection)
        elif self.refuse_resumes:
            await connection.socket.close(code=UNKNOWN_ERROR)
        else:
            self._resume(connection, data)
        self._history.wake_waiters()

    def _identify(self, connection: GatewayConnection) -> None:
        session = Session(id=secrets.token_hex(16), connection=connection)
        self._sessions[session.id] = session
        while len(self._sessions) > MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session.add("READY", self._ready(session))
        for guild in self._world.guilds:
            if guild.has_bot:
                session.add("GUILD_CREATE", self._world.guild_create(guild))
        self.identified += 1
        log.info("sandbox.identified session=%s", session.id)

    def _resume(self, connection: GatewayConnection, data: Payload) -> None:
        session = self._sessions.get(data.get("session_id", ""))
        after: int = data.get("seq") or 0
        if session is None or not session.can_replay(after):
            connection.send({"op": INVALID, "d": False})
            return
        session.connection = connection
        for frame in session.events:
            if frame["s"] > after:
                connection.send(frame)
        session.add("RESUMED", {})
        self.resumed += 1
        log.info("sandbox.resumed session=%s after=%s", session.id, after)

    def _detach(self, connection: GatewayConnection) -> None:
        for session in self._sessions.values():
            if session.connection is connection:
                session.connection = None
        self._history.wake_waiters()

    def _ready(self, session: Session) -> Payload:
        installed = [guild for guild in self._world.guilds if guild.has_bot]
        ready: Payload = {
            "v": 10,
            "user": self._world.bot.payload(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in installed],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._url(),
            "application": {"id": str(self._world.application_id), "flags": 0},
        }
        ready |= self.ready_fields
        return {name: value for name, value in ready.items() if value is not None}


def _parse(text: str) -> Payload | None:
    try:
        frame = cast("object", json.loads(text))
    except ValueError:
        return None
    return cast("Payload", frame) if isinstance(frame, dict) and "op" in frame else None
