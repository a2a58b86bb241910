"""Injects faults into the requests that match a table of route patterns."""

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
    """No fault. Each kind of fault overrides one of these hooks."""

    async def on_arrival(self, request: web.Request) -> None:
        """Run before the body is read."""

    async def on_handling(self, request: web.Request) -> None:
        """Run after the body is read and before the request is handled."""

    async def on_answer(self, request: web.Request) -> None:
        """Run after the request is handled and before the response is sent."""


@dataclass(frozen=True, slots=True)
class Refuse(Fault):
    """The request gets an error response instead of being handled."""

    refusal: Refusal

    async def on_handling(self, request: web.Request) -> None:
        """Raise the error."""
        del request
        raise RefusedError(self.refusal)


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """The connection is reset after `after_bytes` of the body."""

    after_bytes: int = 0

    async def on_arrival(self, request: web.Request) -> None:
        """Read part of the body, and reset the connection."""
        read = 0
        while read < self.after_bytes and (chunk := await request.content.readany()):
            read += len(chunk)
        reset(request)


@dataclass(frozen=True, slots=True)
class LoseAnswer(Fault):
    """The request is handled, but the connection is reset before the response."""

    async def on_answer(self, request: web.Request) -> None:
        """Reset the connection."""
        reset(request)


@dataclass(frozen=True, slots=True)
class FailAfterwards(Fault):
    """The request is handled, but gets an error response."""

    refusal: Refusal

    async def on_answer(self, request: web.Request) -> None:
        """Send the error response."""
        del request
        raise RefusedError(self.refusal)


@dataclass(frozen=True, slots=True)
class Hold(Fault):
    """The response is held back: `reached` is set when it is ready, and `release` sends it."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_answer(self, request: web.Request) -> None:
        """Wait until the test sets `release`."""
        del request
        self.reached.set()
        await self.release.wait()


class ConnectionCutError(Exception):
    """The connection is closed, so there is no response."""


def reset(request: web.Request) -> None:
    """Reset the connection, so that the bot sees ECONNRESET."""
    if request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    raise ConnectionCutError


@dataclass(kw_only=True, slots=True)
class _Rule:
    pattern: str
    fault: Fault
    times: int | None


class Faults:
    """The table of faults, in which the first rule that matches a request applies."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, pattern: str, fault: Fault | Refusal, *, times: int | None = 1) -> Fault:
        """Inject `fault` into the next `times` (None: all) requests that match a glob pattern.

        A pattern is a method and a path: "PATCH *@original", "* /attachments/*".
        """
        injected = Refuse(fault) if isinstance(fault, Refusal) else fault
        self._rules.append(_Rule(pattern=pattern, fault=injected, times=times))
        return injected

    def clear(self) -> None:
        """Remove all faults."""
        self._rules.clear()

    def match(self, method: str, path: str) -> Fault:
        """Return the fault for a request, and count its use."""
        for rule in self._rules:
            if rule.times != 0 and fnmatchcase(f"{method} {path}", rule.pattern):
                if rule.times is not None:
                    rule.times -= 1
                return rule.fault
        return Fault()
