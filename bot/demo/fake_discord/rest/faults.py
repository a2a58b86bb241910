"""What goes wrong, on demand: a table of routes and of what happens there."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import Refusal, RefusedError

if TYPE_CHECKING:
    from aiohttp import web


class Fault:
    """Nothing goes wrong; a kind of fault overrides the moment at which it strikes."""

    async def on_arrival(self, request: web.Request) -> None:
        """Strike before the body is read."""

    async def on_handling(self, request: web.Request) -> None:
        """Strike when the body was read, and nothing was done with it."""

    async def on_answer(self, request: web.Request) -> None:
        """Strike when all is done, and only the answer is due."""


@dataclass(frozen=True, slots=True)
class Refuse(Fault):
    """The request is answered with an error, and nothing is done."""

    refusal: Refusal

    async def on_handling(self, request: web.Request) -> None:
        """Answer with the error."""
        del request
        raise RefusedError(self.refusal)


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """The connection is reset after `after_bytes` of the body."""

    after_bytes: int = 0

    async def on_arrival(self, request: web.Request) -> None:
        """Read a part of the body and reset."""
        read = 0
        while read < self.after_bytes and (chunk := await request.content.readany()):
            read += len(chunk)
        reset(request)


@dataclass(frozen=True, slots=True)
class LoseAnswer(Fault):
    """The request is carried out, but the connection is reset before its answer."""

    async def on_answer(self, request: web.Request) -> None:
        """Reset."""
        reset(request)


@dataclass(frozen=True, slots=True)
class Spoil(Fault):
    """The request is carried out, but answered with an error."""

    refusal: Refusal

    async def on_answer(self, request: web.Request) -> None:
        """Answer with the error."""
        del request
        raise RefusedError(self.refusal)


@dataclass(frozen=True, slots=True)
class Hold(Fault):
    """The answer is slow: `reached` tells that it is due, `release` lets it go."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_answer(self, request: web.Request) -> None:
        """Wait for the release."""
        del request
        self.reached.set()
        await self.release.wait()


class ConnectionCutError(Exception):
    """The connection is gone: there is nobody to answer."""


def reset(request: web.Request) -> None:
    """Reset the connection, so that the other side sees errno 104."""
    if request.transport is not None:
        link = request.transport.get_extra_info("socket")
        if link is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    raise ConnectionCutError


@dataclass(kw_only=True, slots=True)
class _Row:
    pattern: str
    fault: Fault
    times: int | None


class Faults:
    """The table; of the rows that match a request the first one strikes, and is used up by one."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []

    def add(self, pattern: str, fault: Fault | Refusal, *, times: int | None = 1) -> Fault:
        """Let `fault` strike the next `times` (None: all) requests that match a glob.

        A pattern is a method and a path: "PATCH *@original", "* /attachments/*".
        """
        row = Refuse(fault) if isinstance(fault, Refusal) else fault
        self._rows.append(_Row(pattern=pattern, fault=row, times=times))
        return row

    def clear(self) -> None:
        """Let everything go well again."""
        self._rows.clear()

    def take(self, method: str, path: str) -> Fault:
        """Return what strikes this request."""
        for row in self._rows:
            if row.times != 0 and fnmatchcase(f"{method} {path}", row.pattern):
                if row.times is not None:
                    row.times -= 1
                return row.fault
        return Fault()
