"""A stateful server with OpenRouter's video API, for tests and demonstrations.

In a test: `async with OpenRouterApi(clip=path) as api`, then `api.base_url`. As a process:
`python -m tests.support.providers.openrouter_api --port 9200 --clip clip.mp4`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import aiohttp
from aiohttp import web

from tests.support.providers.stand_in import Refusal, fields_of
from tests.support.providers.video_stand_in import VideoStandIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.providers.stand_in import Handler
    from tests.support.providers.video_stand_in import Job

_COPIES_LIVE_SECONDS = 3600
_PRICES = {
    "duration_seconds_with_audio": "0.40",
    "duration_seconds_without_audio": "0.20",
    "duration_seconds_with_audio_4k": "0.60",
}


_UNLIMITED = ("limit", "limit_remaining", "limit_reset", "effective_budget")
_NOBODY = ("creator_user_id", "organization_id")
_SPANS = ("", "_daily", "_weekly", "_monthly")
_KEY = {
    "label": "sk-or-v1-abc...def",
    "workspace_id": "ws_made_up",
    "allowed_data_regions": [],
    "budgets": [],
    "free_model_daily_requests": {"limit": 50, "remaining": 50, "used": 0},
    "include_byok_in_limit": False,
    "is_free_tier": False,
    "is_management_key": False,
    "is_provisioning_key": False,
    "rate_limit": {"interval": "10s", "note": "deprecated", "requests": -1},
    **dict.fromkeys(_UNLIMITED + _NOBODY),
    **{f"{kind}{span}": 0 for kind in ("usage", "byok_usage") for span in _SPANS},
}


def model(name: str, **changes: Any) -> dict[str, Any]:
    """Return a model's entry in the list."""
    return {
        "id": name,
        "canonical_slug": f"{name}-20260101",
        "name": name.title(),
        "created": 1_767_225_600,
        "allowed_passthrough_parameters": [],
        "creativity": None,
        "generate_audio": True,
        "seed": True,
        "supported_aspect_ratios": ["16:9", "9:16"],
        "supported_durations": [4, 6, 8],
        "supported_frame_images": ["first_frame"],
        "supported_resolutions": ["720p", "1080p"],
        "supported_sizes": ["1280x720", "720x1280", "1920x1080"],
        "upscale_factor": None,
        "pricing_skus": _PRICES,
    } | changes


def _is_reference(reference: Any) -> bool:
    """Tell whether a reference has the form of the package's InputReference, with an https URL."""
    match reference:
        case {"type": ("audio_url" | "image_url" | "video_url") as kind, **rest} if {*rest} == {
            kind
        }:
            return str(rest[kind].get("url")).startswith("https://")
        case _:
            return False


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature header of a callback."""
    signed = f"{timestamp},".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def refusal(status: int, message: str, **metadata: Any) -> Refusal:
    """Return an error in OpenRouter's format."""
    more = {"metadata": metadata} if metadata else {}
    return Refusal(status, {"error": {"code": status, "message": message, **more}})


class OpenRouterApi(VideoStandIn):
    """An OpenRouter server, whose callbacks a test sends.

    A test advances a job (`progress`, `finish`, `fail`); with `seconds_per_job`, the server does.
    It refuses a prompt with "[blocked]", and any prompt once `credits` are used up.
    """

    prefix: ClassVar[str] = "/api/v1"

    def __init__(
        self,
        *,
        clip: Path | None = None,
        key: str | None = None,
        seconds_per_job: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            new_id=lambda: f"gen-vid-{int(clock())}-{uuid4().hex[:20]}",
            clip=clip,
            key=key,
            clock=clock,
        )
        self.models = [model("google/veo-3.1"), model("alibaba/wan-2.6")]
        self.credits = 100.0
        self.price = 3.2
        self._seconds_per_job = seconds_per_job

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Return (method, path, operation, handler) for each route."""
        return [
            ("POST", "/videos", "create", self._create),
            ("GET", "/videos/models", "models", self._models),
            ("GET", "/videos/{id}", "retrieve", self._retrieve),
            ("GET", "/videos/{id}/content", "content", self._content),
            ("GET", "/key", "key", self._about_key),
        ]

    def refused_key(self, sent: str) -> Refusal:
        """Return the answer to a wrong key."""
        return refusal(401, f"User not found, or no such key: {sent}")

    def progress(self, ref: str, percent: int) -> None:  # noqa: ARG002 - not reported
        """Set a job to running."""
        self.jobs[ref]["status"] = "in_progress"

    def finish(self, ref: str) -> None:
        """Set a job to completed, and charge its price."""
        self.credits -= self.price
        self.jobs[ref].update(
            status="completed",
            generation_id=f"gen-{uuid4().hex[:20]}",
            unsigned_urls=[f"{self.base_url}/videos/{ref}/content?index=0"],
            expires_at=int(self.clock()) + _COPIES_LIVE_SECONDS,
            usage={"cost": self.price, "is_byok": False},
        )

    def fail(self, ref: str, code: str, message: str) -> None:
        """Set a job to failed; its error is a single text."""
        self.jobs[ref].update(status="failed", error=f"{code}: {message}")

    def event(self, ref: str, ending: str) -> dict[str, Any]:
        """Return the body of a callback about a job's end."""
        job = self.jobs.get(ref, {})
        told = ("generation_id", "unsigned_urls", "usage", "error")
        return {
            "type": f"video.generation.{ending}",
            "created_at": datetime.fromtimestamp(self.clock(), UTC).isoformat(),
            "data": {
                "id": ref,
                "status": ending,
                "model": self.models[0]["id"],
                **{name: job[name] for name in told if name in job},
            },
        }

    async def send_callback(self, ref: str, *, url: str, secret: str) -> int:
        """Send a callback about a job's end, and return the status of the answer."""
        status = self.jobs[ref]["status"]
        body = json.dumps(self.event(ref, status)).encode()
        headers = {
            "Content-Type": "application/json",
            "X-OpenRouter-Signature": sign(secret, int(self.clock()), body),
            "X-OpenRouter-Idempotency-Key": f"{ref}-{status}",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            return response.status

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise refusal(400, "Invalid JSON body")
        ref = self._new_job(await fields_of(request))
        if self._seconds_per_job is not None:
            timer = asyncio.create_task(self._run(ref, self._seconds_per_job), name=f"job {ref}")
            self.timers.add(timer)
            timer.add_done_callback(self.timers.discard)
        return web.json_response(self.answer_for(ref), status=202)

    def _new_job(self, fields: dict[str, Any]) -> str:
        offers = {offer["id"]: offer for offer in self.models}
        name = fields.get("model")
        if name not in offers:
            raise refusal(400, f"Model {name} does not exist")
        prompt = fields.get("prompt") or ""
        if not prompt:
            raise refusal(400, "prompt: Required")
        if "[blocked]" in prompt:
            reasons = {"reasons": ["violence"], "flagged_input": prompt}
            raise refusal(403, "Your input was flagged by moderation.", **reasons)
        if fields.get("duration") not in offers[name]["supported_durations"]:
            raise refusal(400, "duration: not supported by this model")
        if fields.get("size") not in offers[name]["supported_sizes"]:
            raise refusal(400, "size: not supported by this model")
        if not str(fields.get("callback_url", "https://")).startswith("https://"):
            raise refusal(400, "callback_url: must be HTTPS")
        if not all(map(_is_reference, fields.get("input_references", []))):
            raise refusal(400, "input_references: Invalid input")
        if self.credits < self.price:
            raise refusal(402, "Insufficient credits. Add more using your settings.")
        ref = self.new_id()
        self.jobs[ref] = {
            "id": ref,
            "polling_url": f"{self.prefix}/videos/{ref}",
            "status": "pending",
        }
        self.creates.append(ref)
        return ref

    async def _run(self, ref: str, seconds: float) -> None:
        await asyncio.sleep(seconds / 2)
        self.progress(ref, 50)
        await asyncio.sleep(seconds / 2)
        self.finish(ref)

    async def _models(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"data": self.models})

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.answer_for(self._known(request)["id"]))

    async def _content(self, request: web.Request) -> web.StreamResponse:
        job = self._known(request)
        clip = self.clip_response(job["id"])
        if job["status"] != "completed" or clip is None or request.query.get("index") != "0":
            raise refusal(404, "Video content is not available")
        return clip

    async def _about_key(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"data": _KEY})

    def _known(self, request: web.Request) -> Job:
        ref = request.match_info["id"]
        if ref not in self.jobs:
            raise refusal(404, "Job not found")
        return self.jobs[ref]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A server that speaks OpenRouter's dialect.")
    parser.add_argument("--port", type=int, default=9200)
    parser.add_argument("--clip", type=Path, required=True, help="the MP4 that every job becomes")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a job takes")
    parser.add_argument("--key", help="demand this API key")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    api = OpenRouterApi(clip=arguments.clip, key=arguments.key, seconds_per_job=arguments.seconds)
    await api.start(arguments.port)
    print(api.base_url, flush=True)  # noqa: T201 - tells the parent process the port
    try:
        await asyncio.Event().wait()
    finally:
        await api.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_arguments()))
