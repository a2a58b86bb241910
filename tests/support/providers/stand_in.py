"""The base of all services' stand-ins: a stateful server with faults that a test orders.

Those of video services are built on tests/support/providers/video_stand_in.py.
"""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from aiohttp import web

from tests.support.fakes.loop_time import let_pass, let_read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Self

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault in the answer to one request.

    `status` and `body` replace the answer. `after`: whether the request is carried out first, so
    that only its answer is lost. `cut` sends half of the answer, `reset` closes the connection
    without one, and `hang` sends nothing until the server closes. While a request hangs, `passes`
    seconds pass at once for a client in the same event loop.
    """

    status: int | None = None
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    cut: bool = False
    reset: bool = False
    hang: bool = False
    passes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Call:
    """A received request; `form` holds the fields of its form or JSON object."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, Any] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """Answers a request with an error."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class StandIn(ABC):
    """A service on loopback, with the requests that it received, and ordered faults.

    `creates` lists what it charged for: each handler that charges appends to it. If `key` is set,
    every request has to bring it.
    """

    prefix: ClassVar[str]

    def __init__(
        self,
        *,
        clip: Path | None = None,
        key: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.calls: list[Call] = []
        self.creates: list[str] = []
        self.base_url = ""
        self.clock = clock
        self.timers: set[asyncio.Task[None]] = set()
        self.clip = clip
        self._key = key
        self._faults: dict[str, deque[Fault]] = {}
        self._closing = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @abstractmethod
    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Return (method, path, operation, handler) for each route.

        An operation is the name under which tests order faults.
        """

    def key_in(self, headers: Mapping[str, str]) -> str | None:
        """Return the API key in a request's headers, by default that of `Authorization`."""
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        return key if scheme == "Bearer" else None

    @abstractmethod
    def refused_key(self, sent: str) -> Refusal:
        """Return the answer to a wrong key."""

    def in_dialect(self, answer: object) -> object:
        """Translate the JSON that a test orders into the service's dialect."""
        return answer

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 means a free port."""
        app = web.Application(client_max_size=_BODY_LIMIT)
        app.on_response_prepare.append(self._date)
        for method, path, operation, handler in self.routes():
            app.router.add_route(method, self.prefix + path, self._route(operation, handler))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{bound}{self.prefix}"

    async def close(self) -> None:
        """Stop the server, and end the requests that hang."""
        self._closing.set()
        for timer in self.timers:
            timer.cancel()
        await asyncio.gather(*self.timers, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def add_faults(self, operation: str, *faults: Fault) -> None:
        """Make the next calls of an operation (create, list, content ...) fail, one per fault."""
        self._faults.setdefault(operation, deque()).extend(faults)

    def clear_faults(self, operation: str) -> None:
        """Remove the faults that are left for an operation."""
        self._faults.pop(operation, None)

    def made(self, method: str, path: str = "") -> list[Call]:
        """Return the calls of a method whose path, below the prefix, starts with `path`."""
        return [
            call
            for call in self.calls
            if call.method == method and call.path.startswith(self.prefix + path)
        ]

    async def wait_for(self, method: str, path: str = "") -> Call:
        """Wait for the first such call, and return the last one."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.made(method, path))
        return self.made(method, path)[-1]

    async def created(self, count: int = 1) -> str:
        """Wait until `count` jobs were created, and return the last one's ref."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.creates) >= count)
        return self.creates[-1]

    def _route(self, operation: str, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            await self._record_call(request)
            faults = self._faults.get(operation)
            if not faults:
                return await self._answer(request, handler)
            return await self._go_wrong(request, handler, faults.popleft())

        return handle

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(self.clock(), usegmt=True)

    async def _record_call(self, request: web.Request) -> None:
        call = Call(
            method=request.method,
            path=request.raw_path.partition("?")[0],
            query=dict(request.query),
            headers=request.headers,
            form=await fields_of(request),
        )
        self.calls.append(call)
        async with self._arrived:
            self._arrived.notify_all()

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._check_key(request)
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        finally:
            async with self._arrived:
                self._arrived.notify_all()

    async def _go_wrong(
        self, request: web.Request, handler: Handler, fault: Fault
    ) -> web.StreamResponse:
        answer = await self._answer(request, handler) if fault.after or fault.cut else None
        if fault.hang:
            await let_read()
            let_pass(fault.passes)
            await self._closing.wait()
        if fault.reset or fault.hang:
            abort(request)
        if fault.status is not None:
            answer = _replacement(fault, self.in_dialect(fault.body))
        if answer is None:
            return await self._answer(request, handler)
        return await _cut_off(request, answer) if fault.cut else answer

    def _check_key(self, request: web.Request) -> None:
        sent = self.key_in(request.headers)
        if self._key and sent != self._key:
            raise self.refused_key(sent or "")


async def fields_of(request: web.Request) -> dict[str, Any]:
    """Read the fields of a request's form or JSON object."""
    if request.method != "POST":
        return {}
    if request.content_type == "application/json":
        body = json.loads(await request.read() or b"{}")
        return body if isinstance(body, dict) else {}
    form = await request.post()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _replacement(fault: Fault, body: object) -> web.Response:
    headers = dict(fault.headers)
    status = fault.status or 200
    if isinstance(body, bytes):
        return web.Response(status=status, body=body, headers=headers)
    if isinstance(body, str):
        return web.Response(status=status, text=body, headers=headers)
    return web.json_response(body, status=status, headers=headers)


async def _cut_off(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) else b""
    if isinstance(answer, web.FileResponse):
        body = await asyncio.to_thread(Path(answer._path).read_bytes)  # noqa: SLF001 - not public
    content = body if isinstance(body, bytes) else b""
    half = web.StreamResponse(status=answer.status, headers={"Content-Length": str(len(content))})
    half.content_type = answer.content_type
    await half.prepare(request)
    await half.write(content[: len(content) // 2])
    abort(request)
    return half


def abort(request: web.Request) -> NoReturn:
    """Close the connection of a request without an answer."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError
