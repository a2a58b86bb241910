"""The gateway: logins, heartbeats, events, and sessions that outlive their connection."""

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
NOT_READABLE, NOT_IDENTIFIED, BAD_TOKEN = 4002, 4003, 4004
HEARTBEAT_MS = 41_250
MAX_EVENTS = 1000
MAX_SESSIONS = 8
MAX_FRAME = 64 * 1024


@dataclass(kw_only=True, slots=True, eq=False)
class Session:
    """What one IDENTIFY began: its events, numbered, and the connection that carries them."""

    id: str
    events: deque[Payload] = field(default_factory=lambda: deque["Payload"](maxlen=MAX_EVENTS))
    seq: int = 0
    link: GatewayConnection | None = None

    def add(self, event: str, data: Payload) -> None:
        """Give an event its number, and send it when there is a connection."""
        self.seq += 1
        frame: Payload = {"op": DISPATCH, "t": event, "s": self.seq, "d": data}
        self.events.append(frame)
        if self.link is not None:
            self.link.send(frame)

    def can_replay(self, after: int) -> bool:
        """Whether no event after that number was forgotten."""
        return after <= self.seq and (not self.events or self.events[0]["s"] <= after + 1)


class GatewayConnection:
    """One WebSocket; frames are sent in order by a task of its own."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._frames: asyncio.Queue[Payload] = asyncio.Queue(MAX_EVENTS)

    def send(self, frame: Payload) -> None:
        """Queue a frame."""
        self._frames.put_nowait(frame)

    async def write(self) -> None:
        """Send what is queued, until cancelled or cut."""
        while True:
            await self.socket.send_str(json.dumps(await self._frames.get()))


class Gateway:
    """Takes bots in, one after another; `url()` is where they come back to after a cut."""

    def __init__(
        self, *, token: str, world: World, history: History, url: Callable[[], str]
    ) -> None:
        self._token = token
        self._world = world
        self._history = history
        self._url = url
        self._sessions: dict[str, Session] = {}
        self._links: set[GatewayConnection] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.identified = 0
        self.resumed = 0

    @property
    def ready(self) -> bool:
        """Whether a bot is logged in and connected."""
        return any(session.link is not None for session in self._sessions.values())

    def dispatch(self, event: str, data: Payload) -> bool:
        """Tell every session, connected or not; False: there is none, and it is lost."""
        for session in self._sessions.values():
            session.add(event, data)
        return bool(self._sessions)

    async def drop(self, code: int = 4000) -> None:
        """Close all connections; their sessions can be resumed."""
        for link in list(self._links):
            await link.socket.close(code=code)

    @asynccontextmanager
    async def away(self) -> AsyncGenerator[None]:
        """Be unreachable: close all connections, and let nobody in until the end of the block."""
        self._open.clear()
        try:
            await self.drop()
            yield
        finally:
            self._open.set()

    def forget_sessions(self) -> None:
        """Make the next RESUME fail with INVALID_SESSION."""
        self._sessions.clear()

    def ask_to_reconnect(self) -> None:
        """Send op 7, as Discord does before it restarts a gateway."""
        for link in self._links:
            link.send({"op": RECONNECT, "d": None})

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection, from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME, compress=False)
        await socket.prepare(request)
        await self._open.wait()
        link = GatewayConnection(socket)
        self._links.add(link)
        writer = asyncio.create_task(link.write(), name="sandbox-gateway-writer")
        try:
            link.send({"op": HELLO, "d": {"heartbeat_interval": HEARTBEAT_MS}})
            await self._converse(link)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._links.discard(link)
            self._leave(link)
        return socket

    async def _converse(self, link: GatewayConnection) -> None:
        async for received in link.socket:
            frame = _parse(received.data) if received.type is WSMsgType.TEXT else None
            if frame is None:
                await link.socket.close(code=NOT_READABLE)
            elif frame["op"] == HEARTBEAT:
                link.send({"op": ACK})
            elif frame["op"] in {IDENTIFY, RESUME}:
                await self._enter(link, frame["op"], frame["d"])
            elif not any(session.link is link for session in self._sessions.values()):
                await link.socket.close(code=NOT_IDENTIFIED)

    async def _enter(self, link: GatewayConnection, op: int, data: Payload) -> None:
        if data.get("token") != self._token:
            await link.socket.close(code=BAD_TOKEN)
        elif op == IDENTIFY:
            self._identify(link)
        else:
            self._resume(link, data)
        self._history.note()

    def _identify(self, link: GatewayConnection) -> None:
        session = Session(id=secrets.token_hex(16), link=link)
        self._sessions[session.id] = session
        while len(self._sessions) > MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session.add("READY", self._ready(session))
        for guild in self._world.guilds:
            if guild.has_bot:
                session.add("GUILD_CREATE", self._world.guild_create(guild))
        self.identified += 1
        log.info("sandbox.identified session=%s", session.id)

    def _resume(self, link: GatewayConnection, data: Payload) -> None:
        session = self._sessions.get(data.get("session_id", ""))
        after: int = data.get("seq") or 0
        if session is None or not session.can_replay(after):
            link.send({"op": INVALID, "d": False})
            return
        session.link = link
        for frame in session.events:
            if frame["s"] > after:
                link.send(frame)
        session.add("RESUMED", {})
        self.resumed += 1
        log.info("sandbox.resumed session=%s after=%s", session.id, after)

    def _leave(self, link: GatewayConnection) -> None:
        for session in self._sessions.values():
            if session.link is link:
                session.link = None
        self._history.note()

    def _ready(self, session: Session) -> Payload:
        installed = [guild for guild in self._world.guilds if guild.has_bot]
        return {
            "v": 10,
            "user": self._world.bot.payload(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in installed],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._url(),
            "application": {"id": str(self._world.application_id), "flags": 0},
        }


def _parse(text: str) -> Payload | None:
    try:
        frame = cast("object", json.loads(text))
    except ValueError:
        return None
    return cast("Payload", frame) if isinstance(frame, dict) and "op" in frame else None
