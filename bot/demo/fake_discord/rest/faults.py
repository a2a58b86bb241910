"""Injects faults into requests whose route matches a pattern."""

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
    """A fault that changes nothing.

    Each kind of fault is a subclass that overrides one of the methods.
    """

    async def on_arrival(self, request: web.Request) -> None:
        """Run when a request arrives, before its body is read."""

    async def on_handling(self, request: web.Request) -> None:
        """Run after the request's body was read, before the request is handled."""

    async def on_answer(self, request: web.Request) -> None:
        """Run after the request was handled, before the response is sent."""


@dataclass(frozen=True, slots=True)
class Refuse(Fault):
    """Refuses a request with an error response, instead of handling it."""

    refusal: Refusal

    async def on_handling(self, request: web.Request) -> None:
        """Raise the error."""
        del request
        raise RefusedError(self.refusal)


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """Resets the connection after receiving `after_bytes` bytes of the body."""

    after_bytes: int = 0

    async def on_arrival(self, request: web.Request) -> None:
        """Read a part of the body, and reset the connection."""
        read = 0
        while read < self.after_bytes and (chunk := await request.content.readany()):
            read += len(chunk)
        reset(request)


@dataclass(frozen=True, slots=True)
class LoseAnswer(Fault):
    """Handles a request, but resets the connection before the response."""

    async def on_answer(self, request: web.Request) -> None:
        """Reset the connection."""
        reset(request)


@dataclass(frozen=True, slots=True)
class FailAfterwards(Fault):
    """Handles a request, but sends an error response."""

    refusal: Refusal

    async def on_answer(self, request: web.Request) -> None:
        """Raise the error."""
        del request
        raise RefusedError(self.refusal)


@dataclass(frozen=True, slots=True)
class Hold(Fault):
    """Delays a response.

    When the response is ready, `reached` is set. The response is sent once the test sets `release`.
    """

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def on_answer(self, request: web.Request) -> None:
        """Wait until the test sets `release`."""
        del request
        self.reached.set()
        await self.release.wait()


class ConnectionCutError(Exception):
    """The connection was closed, so no response can be sent."""


def reset(request: web.Request) -> None:
    """Close the connection so that the bot gets the error ECONNRESET."""
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
    """The injected faults. For each request, the first fault with a matching pattern is used."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, pattern: str, fault: Fault | Refusal, *, times: int | None = 1) -> Fault:
        """Inject `fault` into the next `times` requests that match `pattern`.

        If `times` is None, inject it into all requests that match. The pattern consists of a method
        and a path, such as "PATCH *@original" or "* /attachments/*".
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
