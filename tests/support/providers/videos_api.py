"""A stateful Videos API server, for tests and demonstrations.

In a test: `async with VideosApi(clip=path) as api`, then `api.base_url`. As a process:
`python -m tests.support.providers.videos_api --port 9100 --clip clip.mp4 --history creates.jsonl`.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import aiohttp
from aiohttp import web

from tests.support.providers.stand_in import Call, Fault, Refusal, fields_of
from tests.support.providers.video_stand_in import VideoStandIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.providers.stand_in import Handler
    from tests.support.providers.video_stand_in import Job

__all__ = ["Call", "Fault", "VideosApi", "sign"]

log = logging.getLogger(__name__)

_ASSETS_LIVE_SECONDS = 3600
_MAX_PAGE = 100
_WEBHOOK_ATTEMPTS = 5
_SIZES = ("720x1280", "1280x720", "1024x1792", "1792x1024")


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a Standard Webhooks delivery."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
        "Content-Type": "application/json",
    }


def refusal(status: int, code: str, message: str) -> Refusal:
    """Return an error in OpenAI's format."""
    error = {"message": message, "type": "invalid_request_error", "code": code}
    return Refusal(status, {"error": error})


class VideosApi(VideoStandIn):
    """A Videos API server, which appends its creates to the file `history`.

    A test advances a job (`progress`, `finish`, `fail`); with `seconds_per_job`, the server does.
    `forms_only`: whether JSON is refused, as by vLLM-Omni. `lengths`: the accepted values of
    `seconds`.
    """

    prefix: ClassVar[str] = "/v1"

    def __init__(
        self,
        *,
        clip: Path | None = None,
        key: str | None = None,
        history: Path | None = None,
        seconds_per_job: float | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        idempotency_header: str | None = None,
        forms_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(new_id=lambda: f"video_{uuid4().hex}", clip=clip, key=key, clock=clock)
        self.forms_only = forms_only
        self.lengths: tuple[int, ...] = (4, 8, 12)
        self._history = history
        self._seconds_per_job = seconds_per_job
        self._webhook_url = webhook_url
        self._webhook_secret = webhook_secret
        self._idempotency_header = idempotency_header
        self._by_key: dict[str, str] = {}

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Return (method, path, operation, handler) for each route."""
        return [
            ("POST", "/videos", "create", self._create),
            ("GET", "/videos", "list", self._list),
            ("GET", "/videos/{id}", "retrieve", self._retrieve),
            ("GET", "/videos/{id}/content", "content", self._content),
            ("DELETE", "/videos/{id}", "delete", self._delete),
        ]

    def refused_key(self, sent: str) -> Refusal:
        """Return the answer to a wrong key."""
        return refusal(401, "invalid_api_key", f"Incorrect API key provided: {sent}")

    def progress(self, ref: str, percent: int) -> None:
        """Set a job to running."""
        self.jobs[ref].update(status="in_progress", progress=percent)

    def finish(self, ref: str) -> None:
        """Set a job to completed."""
        now = int(self.clock())
        self.jobs[ref].update(
            status="completed",
            progress=100,
            completed_at=now,
            expires_at=now + _ASSETS_LIVE_SECONDS,
        )

    def fail(self, ref: str, code: str, message: str) -> None:
        """Set a job to failed."""
        self.jobs[ref].update(status="failed", error={"code": code, "message": message})

    async def send_webhook(
        self, ref: str, *, kind: str | None = None, webhook_id: str | None = None
    ) -> int:
        """Send a webhook about a job's end, and return the status of the answer."""
        if self._webhook_url is None or self._webhook_secret is None:
            raise ValueError("no webhook was configured")
        completed = self.jobs.get(ref, {}).get("status") == "completed"
        now = int(self.clock())
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

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if self.forms_only and request.content_type == "application/json":
            missing = {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}
            raise Refusal(422, {"detail": [missing]})
        form = await fields_of(request)
        key = request.headers.get(self._idempotency_header or "", "")
        if key in self._by_key:
            return self._job_response(self._by_key[key])
        ref = self._new_job(form)
        if key:
            self._by_key[key] = ref
        if self._seconds_per_job is not None:
            timer = asyncio.create_task(self._run(ref, self._seconds_per_job), name=f"job {ref}")
            self.timers.add(timer)
            timer.add_done_callback(self.timers.discard)
        return self._job_response(ref)

    def _new_job(self, form: dict[str, Any]) -> str:
        prompt = form.get("prompt", "")
        size = form.get("size", "720x1280")
        seconds = str(form.get("seconds", "4"))
        if not prompt:
            raise refusal(400, "missing_required_parameter", "Missing required parameter: 'prompt'")
        if size not in _SIZES or seconds not in map(str, self.lengths):
            raise refusal(400, "invalid_value", "Invalid value for 'size' or 'seconds'")
        ref = self.new_id()
        self.jobs[ref] = {
            "id": ref,
            "object": "video",
            "model": form.get("model", "sora-2"),
            "status": "queued",
            "progress": 0,
            "created_at": int(self.clock()),
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
        if self._history is not None:
            with self._history.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"id": ref, "prompt": prompt, "at": self.clock()}) + "\n")
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
        limit = min(int(request.query.get("limit", "20")), _MAX_PAGE)
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
                "data": [self.answer_for(job["id"]) for job in page],
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
            raise refusal(404, "not_found", f"Video {job['id']} is still in-progress")
        clip = self.clip_response(job["id"])
        if clip is None:
            raise refusal(404, "not_found", "There is no content")
        return clip

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        ref = self._known(request)["id"]
        del self.jobs[ref]
        return web.json_response({"id": ref, "object": "video.deleted", "deleted": True})

    def _known(self, request: web.Request) -> Job:
        ref = request.match_info["id"]
        if ref not in self.jobs:
            raise refusal(404, "not_found", f"Video with id '{ref}' not found.")
        return self.jobs[ref]

    def _job_response(self, ref: str) -> web.Response:
        return web.json_response(self.answer_for(ref))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A Videos API server for tests and demos.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--clip", type=Path, required=True, help="the MP4 that every job becomes")
    parser.add_argument("--history", type=Path, help="a line of JSON is added for each create")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a job takes")
    parser.add_argument("--key", help="demand this API key")
    parser.add_argument("--webhook-url")
    parser.add_argument("--webhook-secret", help="whsec_...")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    api = VideosApi(
        clip=arguments.clip,
        key=arguments.key,
        history=arguments.history,
        seconds_per_job=arguments.seconds,
        webhook_url=arguments.webhook_url,
        webhook_secret=arguments.webhook_secret,
    )
    await api.start(arguments.port)
    print(api.base_url, flush=True)  # noqa: T201 - tells the parent process the port
    try:
        await asyncio.Event().wait()
    finally:
        await api.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_arguments()))
