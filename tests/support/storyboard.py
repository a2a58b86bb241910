"""Provides a storyboard for tests: a renderer under the test's control and a webhook receiver.

As a program, it runs a storyboard in a process that a test can kill: `python -m
tests.support.storyboard DIRECTORY`. It prints its base URL, and "rendering" when a rendering
starts, which never ends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from bot.storyboard.server import Storyboard
from tests.support.schemas.openai_spec import check_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from bot.storyboard.clip_service import Renderer
    from bot.storyboard.clip_store import ClipOrder

SECRET = "whsec_" + base64.b64encode(b"a key of the tests").decode()
VIDEO = b"\x00\x00\x00\x18ftypisom a video of the tests"
FIELDS = {"prompt": "Explain how rainbows form", "seconds": "8", "size": "1280x720"}


class ManualRenderer:
    """A renderer without ffmpeg: it puts each order into `started`, and then waits for `go`."""

    def __init__(self, *, go: bool = True) -> None:
        self.started: asyncio.Queue[ClipOrder] = asyncio.Queue()
        self.orders: list[ClipOrder] = []
        self.folders: list[Path] = []
        self.error: Exception | None = None
        self.percent = 0
        self.go = asyncio.Event()
        if go:
            self.go.set()

    async def render(
        self, order: ClipOrder, folder: Path, on_progress: Callable[[int], None]
    ) -> Path:
        self.orders.append(order)
        self.folders.append(folder)
        on_progress(self.percent)
        self.started.put_nowait(order)
        await self.go.wait()
        if self.error:
            raise self.error
        video = folder / "made.mp4"
        video.write_bytes(VIDEO)
        return video


@dataclass(frozen=True, kw_only=True)
class Delivery:
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def video(self) -> str:
        return self.event["data"]["id"]


@dataclass(kw_only=True)
class Receiver:
    """A webhook receiver that responds with each status of `answers`, and then with 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    deliveries: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.deliveries.put_nowait(Delivery(headers=dict(request.headers), body=body))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def next(self) -> Delivery:
        async with asyncio.timeout(20):
            return await self.deliveries.get()


@asynccontextmanager
async def open_receiver() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:  # JSON
        return json.loads(self.raw)

    @property
    def error(self) -> dict[str, Any]:
        assert set(self.body) == {"error"}
        assert set(self.body["error"]) == {"message", "type", "param", "code"}
        return self.body["error"]


class ApiCaller:
    """Calls a storyboard, and checks every JSON response against OpenAI's specification."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self.base_url = base_url
        self._session = session

    async def ask(self, method: str, path: str, **options: Any) -> Answer:  # aiohttp's types
        async with self._session.request(method, self.base_url + path, **options) as got:
            answer = Answer(status=got.status, headers=got.headers, raw=await got.read())
        if answer.status == 200 and got.content_type == "application/json":
            check_answer(method, path.partition("?")[0], answer.status, answer.body)
        return answer

    async def create(self, *, key: str | None = None, **fields: object) -> dict[str, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.ask("POST", "/videos", json=FIELDS | fields, headers=headers)
        assert answer.status == 200, answer.raw
        return answer.body

    async def get(self, video: str) -> dict[str, Any]:
        answer = await self.ask("GET", f"/videos/{video}")
        assert answer.status == 200, answer.raw
        return answer.body


def files(folder: Path, pattern: str) -> list[Path]:
    """Return the files in a folder that match a pattern."""
    return list(folder.glob(pattern))


async def seen(condition: Callable[[], bool]) -> None:
    """Wait at most 20 s until a condition is true; for conditions that no event reports."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0)


@asynccontextmanager
async def open_board(
    directory: Path,
    renderer: Renderer,
    receiver: Receiver | None = None,
    *,
    clock: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
    waiting: int = 32,
    port: int = 0,
) -> AsyncGenerator[ApiCaller]:
    """Run a storyboard, and yield a caller of its API."""
    board = Storyboard(
        directory,
        renderer,
        clock=clock,
        steady=steady,
        webhook_url=receiver.url if receiver else None,
        webhook_secret=SECRET,
        webhook_delays=(0.01,),
        waiting=waiting,
        port=port,
    )
    await board.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield ApiCaller(board.base_url, session)
    finally:
        await board.close()


async def _run_for_ever(directory: Path) -> None:
    renderer = ManualRenderer(go=False)
    board = Storyboard(directory, renderer, clock=time.time)
    await board.start()
    sys.stdout.write(f"{board.base_url}\n")
    sys.stdout.flush()
    await renderer.started.get()
    sys.stdout.write("rendering\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run_for_ever(Path(sys.argv[1])))
