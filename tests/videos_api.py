"""A Videos API server with a memory, to test and to show against.

In a test: `async with VideosApi(clip=path) as api`, then `api.base_url`. Alone:
`python -m tests.videos_api --port 9100 --clip clip.mp4 --ledger creates.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import logging
import os
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Self

log = logging.getLogger(__name__)

Job = dict[str, Any]

_ASSETS_LIVE_SECONDS = 3600
_LARGEST_PAGE = 100
_FORM_LIMIT = 1024 * 1024
_WEBHOOK_ATTEMPTS = 5
_SIZES = ("720x1280", "1280x720", "1024x1792", "1792x1024")
_SECONDS = ("4", "8", "12")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to one request instead of its answer, or to its answer.

    `status` with `body` replaces the answer. `after`: the request is carried out first, so that
    only its answer is lost. `cut` sends half of the answer, `reset` nothing of it; `hang` keeps
    the caller waiting until the server closes.
    """

    status: int | None = None
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    cut: bool = False
    reset: bool = False
    hang: bool = False


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers with which Standard Webhooks sends a body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
        "Content-Type": "application/json",
    }


class Refusal(Exception):  # noqa: N818 - a server's word for it
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {"message": message, "type": "invalid_request_error", "code": code},
        }


class VideosApi:
    """The server: jobs, a ledger of creates, and what a test tells it to do wrong.

    A job moves when a test says so (`progress`, `finish`, `fail`), or, with `seconds_per_job`,
    by itself. `shape` may rewrite each job before it is sent. `key` is demanded when set.
    """

    def __init__(  # noqa: PLR0913 - a test names what it sets
        self,
        *,
        clip: Path | None = None,
        key: str | None = None,
        ledger: Path | None = None,
        seconds_per_job: float | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        idempotency_header: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self.calls: list[Call] = []
        self.creates: list[str] = []
        self.shape: Callable[[Job], object] = dict
        self.new_id: Callable[[], str] = lambda: f"video_{uuid4().hex}"
        self.base_url = ""
        self._clip = clip
        self._key = key
        self._ledger = ledger
        self._seconds_per_job = seconds_per_job
        self._webhook_url = webhook_url
        self._webhook_secret = webhook_secret
        self._idempotency_header = idempotency_header
        self._by_key: dict[str, str] = {}
        self._clock = clock
        self._faults: dict[str, deque[Fault]] = {}
        self._closing = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._timers: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one."""
        app = web.Application(client_max_size=_FORM_LIMIT)
        app.router.add_post("/v1/videos", self._route("create", self._create))
        app.router.add_get("/v1/videos", self._route("list", self._list))
        app.router.add_get("/v1/videos/{id}", self._route("retrieve", self._retrieve))
        app.router.add_get("/v1/videos/{id}/content", self._route("content", self._content))
        app.router.add_delete("/v1/videos/{id}", self._route("delete", self._delete))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{bound}/v1"

    async def close(self) -> None:
        """Let hanging callers go and stop."""
        self._closing.set()
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._timers, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def go_wrong(self, operation: str, *faults: Fault) -> None:
        """Let the next calls of create, list, retrieve, content or delete go wrong, in turn."""
        self._faults.setdefault(operation, deque()).extend(faults)

    def made(self, method: str, path: str = "") -> list[Call]:
        """Return the calls of this method whose path, after /v1, starts like this."""
        return [
            call
            for call in self.calls
            if call.method == method and call.path.startswith(f"/v1{path}")
        ]

    async def wait_for(self, method: str, path: str = "") -> Call:
        """Wait until such a call came in."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.made(method, path))
        return self.made(method, path)[-1]

    def progress(self, ref: str, percent: int) -> None:
        """Let a job be under way."""
        self.jobs[ref].update(status="in_progress", progress=percent)

    def finish(self, ref: str) -> None:
        """Let a job be completed."""
        now = int(self._clock())
        self.jobs[ref].update(
            status="completed",
            progress=100,
            completed_at=now,
            expires_at=now + _ASSETS_LIVE_SECONDS,
        )

    def fail(self, ref: str, code: str, message: str) -> None:
        """Let a job be failed."""
        self.jobs[ref].update(status="failed", error={"code": code, "message": message})

    async def send_webhook(
        self, ref: str, *, kind: str | None = None, webhook_id: str | None = None
    ) -> int:
        """Tell the bot of a job's end, and return the status of its answer."""
        if self._webhook_url is None or self._webhook_secret is None:
            raise ValueError("no webhook was configured")
        completed = self.jobs.get(ref, {}).get("status") == "completed"
        now = int(self._clock())
        event = {
            "id": f"evt_{uuid4().hex}",
            "object": "event",
            "created_at": now,
            "type": kind or ("video.completed" if completed else "video.failed"),
            "data": {"id": ref},
        }
        body = json.dumps(event).encode()
        headers = sign(self._webhook_secret, webhook_id or f"wh_{uuid4().hex}", now, body)
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._webhook_url, data=body, headers=headers) as response,
        ):
            return response.status

    def _route(
        self, operation: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            await self._note(request)
            faults = self._faults.get(operation)
            if not faults:
                return await self._answer(request, handler)
            return await self._go_wrong(request, handler, faults.popleft())

        return handle

    async def _note(self, request: web.Request) -> None:
        form = await request.post() if request.method == "POST" else {}
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        call = Call(
            method=request.method,
            path=request.raw_path.partition("?")[0],
            query=dict(request.query),
            headers=request.headers,
            form=fields,
        )
        self.calls.append(call)
        async with self._arrived:
            self._arrived.notify_all()

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            self._check_key(request)
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)

    async def _go_wrong(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        fault: Fault,
    ) -> web.StreamResponse:
        answer = await self._answer(request, handler) if fault.after or fault.cut else None
        if fault.hang:
            await self._closing.wait()
        if fault.reset or fault.hang:
            _abort(request)
        if fault.status is not None:
            answer = _replacement(fault)
        if answer is None:
            return await self._answer(request, handler)
        return await _cut_off(request, answer) if fault.cut else answer

    def _check_key(self, request: web.Request) -> None:
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
            raise Refusal(401, "invalid_api_key", f"Incorrect API key provided: {sent}")

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        key = request.headers.get(self._idempotency_header or "", "")
        if key in self._by_key:
            return self._job_response(self._by_key[key])
        ref = self._new_job({name: str(value) for name, value in form.items()})
        if key:
            self._by_key[key] = ref
        if self._seconds_per_job is not None:
            timer = asyncio.create_task(self._run(ref, self._seconds_per_job), name=f"job {ref}")
            self._timers.add(timer)
            timer.add_done_callback(self._timers.discard)
        return self._job_response(ref)

    def _new_job(self, form: dict[str, str]) -> str:
        prompt = form.get("prompt", "")
        size = form.get("size", "720x1280")
        seconds = form.get("seconds", "4")
        if not prompt:
            raise Refusal(400, "missing_required_parameter", "Missing required parameter: 'prompt'")
        if size not in _SIZES or seconds not in _SECONDS:
            raise Refusal(400, "invalid_value", "Invalid value for 'size' or 'seconds'")
        ref = self.new_id()
        self.jobs[ref] = {
            "id": ref,
            "object": "video",
            "model": form.get("model", "sora-2"),
            "status": "queued",
            "progress": 0,
            "created_at": int(self._clock()),
            "completed_at": None,
            "expires_at": None,
            "prompt": prompt,
            "size": size,
            "seconds": seconds,
            "remixed_from_video_id": None,
            "error": None,
        }
        self._record(ref, prompt)
        return ref

    def _record(self, ref: str, prompt: str) -> None:
        self.creates.append(ref)
        if self._ledger is not None:
            with self._ledger.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"id": ref, "prompt": prompt, "at": self._clock()}) + "\n")
                file.flush()
                os.fsync(file.fileno())

    async def _run(self, ref: str, seconds: float) -> None:
        steps = 20
        for step in range(1, steps):
            await asyncio.sleep(seconds / steps)
            if ref not in self.jobs:
                return
            self.progress(ref, 100 * step // steps)
        await asyncio.sleep(seconds / steps)
        if "[fail]" in self.jobs[ref]["prompt"]:
            self.fail(ref, "internal_error", "The prompt asked for a failure.")
        else:
            self.finish(ref)
        await self._announce(ref)

    async def _announce(self, ref: str) -> None:
        if self._webhook_url is None:
            return
        webhook_id = f"wh_{uuid4().hex}"
        for attempt in range(_WEBHOOK_ATTEMPTS):
            with contextlib.suppress(aiohttp.ClientError):
                status = await self.send_webhook(ref, webhook_id=webhook_id)
                log.info("webhook.sent id=%s status=%d", ref, status)
                if status < 300:
                    return
            await asyncio.sleep(2**attempt)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        limit = min(int(request.query.get("limit", "20")), _LARGEST_PAGE)
        jobs = list(self.jobs.values())
        if request.query.get("order", "desc") == "desc":
            jobs.reverse()
        if after := request.query.get("after"):
            places = [index for index, job in enumerate(jobs) if job["id"] == after]
            jobs = jobs[places[0] + 1 :] if places else []
        page = jobs[:limit]
        return web.json_response(
            {
                "object": "list",
                "data": [self.shape(job) for job in page],
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": len(jobs) > limit,
            }
        )

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        return self._job_response(self._known(request)["id"])

    async def _content(self, request: web.Request) -> web.StreamResponse:
        job = self._known(request)
        if job["status"] != "completed":
            raise Refusal(404, "not_found", f"Video {job['id']} is still in-progress")
        if self._clip is None:
            raise Refusal(404, "not_found", "There is no content")
        return web.FileResponse(self._clip, headers={"Content-Type": "video/mp4"})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        ref = self._known(request)["id"]
        del self.jobs[ref]
        return web.json_response({"id": ref, "object": "video.deleted", "deleted": True})

    def _known(self, request: web.Request) -> Job:
        ref = request.match_info["id"]
        if ref not in self.jobs:
            raise Refusal(404, "not_found", f"Video with id '{ref}' not found.")
        return self.jobs[ref]

    def _job_response(self, ref: str) -> web.Response:
        return web.json_response(self.shape(self.jobs[ref]))


def _replacement(fault: Fault) -> web.Response:
    headers = dict(fault.headers)
    status = fault.status or 200
    if isinstance(fault.body, bytes):
        return web.Response(status=status, body=fault.body, headers=headers)
    if isinstance(fault.body, str):
        return web.Response(status=status, text=fault.body, headers=headers)
    return web.json_response(fault.body, status=status, headers=headers)


async def _cut_off(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) else b""
    if isinstance(answer, web.FileResponse):
        body = await asyncio.to_thread(Path(answer._path).read_bytes)  # noqa: SLF001 - no other way
    content = body if isinstance(body, bytes) else b""
    half = web.StreamResponse(status=answer.status, headers={"Content-Length": str(len(content))})
    half.content_type = answer.content_type
    await half.prepare(request)
    await half.write(content[: len(content) // 2])
    _abort(request)
    return half


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A Videos API server for tests and demos.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--clip", type=Path, required=True, help="the MP4 that every job becomes")
    parser.add_argument("--ledger", type=Path, help="a line of JSON is added for each create")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a job takes")
    parser.add_argument("--key", help="demand this API key")
    parser.add_argument("--webhook-url")
    parser.add_argument("--webhook-secret", help="whsec_...")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    api = VideosApi(
        clip=arguments.clip,
        key=arguments.key,
        ledger=arguments.ledger,
        seconds_per_job=arguments.seconds,
        webhook_url=arguments.webhook_url,
        webhook_secret=arguments.webhook_secret,
    )
    await api.start(arguments.port)
    print(api.base_url, flush=True)  # noqa: T201 - who starts it with port 0 reads it here
    try:
        await asyncio.Event().wait()
    finally:
        await api.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_arguments()))
