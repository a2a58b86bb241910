"""A stateful server with Gemini's Interactions API.

`async with GeminiApi(clip=path) as api`, then `api.base_url`.
"""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from aiohttp import web

from tests.support.providers.stand_in import Refusal, fields_of
from tests.support.providers.video_stand_in import VideoStandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.support.providers.stand_in import Handler
    from tests.support.providers.video_stand_in import Job

_ASPECT_RATIOS = ("16:9", "9:16")
_RESOLUTIONS = ("360p", "720p", "1080p", "4k")
_DURATIONS = tuple(f"{seconds}s" for seconds in range(3, 16))
_OVER = ("completed", "failed", "cancelled")


def refusal(status: int, code: str, message: str) -> Refusal:
    """Return an error in the format of the interactions' routes."""
    return Refusal(status, {"error": {"message": message, "code": code}})


def google_error(status: int, word: str, message: str) -> Refusal:
    """Return an error in the format of Google's other routes."""
    return Refusal(status, {"error": {"code": status, "message": message, "status": word}})


def answered(*contents: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a model that has thought, and then answered with `contents`."""
    return [
        {"type": "thought", "signature": "c2lnbmVk"},
        {"type": "model_output", "content": [*contents]},
    ]


class GeminiApi(VideoStandIn):
    """A Gemini server, with its interactions and the files of their clips.

    A test advances an interaction (`progress`, `finish`, `fail`). `synchronous`: whether every
    create is answered with the finished interaction. `inline`: whether clips are in the interaction
    as base64. A prompt with "[blocked]" is refused.
    """

    prefix: ClassVar[str] = ""

    def __init__(
        self,
        *,
        clip: Path | None = None,
        key: str | None = None,
        synchronous: bool = False,
        inline: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(new_id=lambda: f"v1_{uuid4().hex}", clip=clip, key=key, clock=clock)
        self.models = ["gemini-omni-1.2-flash"]
        self.files: dict[str, dict[str, Any]] = {}
        self._jobs_by_file: dict[str, str] = {}
        self.synchronous = synchronous
        self.inline = inline

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Return (method, path, operation, handler) for each route."""
        return [
            ("POST", "/v1/interactions", "create", self._create),
            ("GET", "/v1/interactions/{id}", "retrieve", self._retrieve),
            ("POST", "/v1/interactions/{id}/cancel", "delete", self._cancel),
            ("GET", "/{version}/files/{name}:download", "content", self._download),
            ("GET", "/{version}/files/{name}", "file", self._file),
            ("GET", "/v1/models/{name}", "model", self._model),
        ]

    def key_in(self, headers: Mapping[str, str]) -> str | None:
        """Return the API key in a request's headers."""
        return headers.get("x-goog-api-key")

    def is_cancelled(self, ref: str) -> bool:
        """Return whether an interaction has been cancelled."""
        return self.jobs[ref]["status"] == "cancelled"

    def refused_key(self, sent: str) -> Refusal:
        """Return the answer to a wrong key."""
        message = f"API key not valid. Please pass a valid API key. ({sent})"
        return refusal(400, "invalid_request", message)

    def progress(self, ref: str, percent: int) -> None:  # noqa: ARG002 - not reported
        """Set an interaction to running."""
        self.jobs[ref]["status"] = "in_progress"

    def finish(self, ref: str) -> None:
        """Set an interaction to completed."""
        self.jobs[ref].update(
            status="completed",
            steps=answered({"type": "video", "mime_type": "video/mp4"} | self._result(ref)),
            usage={"total_output_tokens": 46_336},
        )

    def fail(self, ref: str, code: str, message: str) -> None:
        """Set an interaction to failed."""
        self.jobs[ref].update(status="failed", errors=[{"code": code, "message": message}])

    def _result(self, ref: str) -> dict[str, Any]:
        if self.inline:
            clip = self.clip_of(ref)
            content = clip.read_bytes() if clip else b""
            return {"data": base64.b64encode(content).decode()}
        name = f"clip-{uuid4().hex[:12]}"
        uri = f"{self.base_url}/v1beta/files/{name}"
        self._jobs_by_file[name] = ref
        self.files[name] = {"name": f"files/{name}", "uri": uri, "state": "ACTIVE"}
        return {"uri": f"{uri}:download?alt=media"}

    async def _create(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise refusal(400, "invalid_request", "Invalid JSON payload received.")
        ref = self._new_job(await fields_of(request))
        if self.synchronous:
            self.finish(ref)
        return web.json_response(self.answer_for(ref))

    def _new_job(self, fields: dict[str, Any]) -> str:
        if fields.get("model") not in self.models:
            raise refusal(404, "not_found", f"models/{fields.get('model')} is not found")
        prompt = fields.get("input")
        if not isinstance(prompt, str) or not prompt:
            raise refusal(400, "invalid_request", "input: must be set")
        if "[blocked]" in prompt:
            message = "The prompt was blocked: PROHIBITED_CONTENT"
            raise refusal(400, "invalid_request", message)
        _check_format(fields.get("response_format"))
        ref = self.new_id()
        self.jobs[ref] = {
            "id": ref,
            "object": "interaction",
            "model": fields["model"],
            "status": "queued",
            "created": self._now(),
            "updated": self._now(),
        }
        self.creates.append(ref)
        return ref

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.answer_for(self._known(request)["id"]))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self._known(request)
        if job["status"] not in _OVER:
            job["status"] = "cancelled"
        return web.json_response(self.answer_for(job["id"]))

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self._stored(request)
        clip = self.clip_response(self._jobs_by_file.get(request.match_info["name"], ""))
        if file["state"] != "ACTIVE" or clip is None or request.query.get("alt") != "media":
            raise google_error(400, "FAILED_PRECONDITION", "The file is not in an ACTIVE state.")
        return clip

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._stored(request))

    async def _model(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in self.models:
            raise google_error(404, "NOT_FOUND", f"models/{name} is not found")
        return web.json_response({"name": f"models/{name}", "displayName": name})

    def _known(self, request: web.Request) -> Job:
        ref = request.match_info["id"]
        if ref not in self.jobs:
            raise refusal(404, "not_found", "Requested entity was not found.")
        return self.jobs[ref]

    def _stored(self, request: web.Request) -> dict[str, Any]:
        name = request.match_info["name"]
        if name not in self.files:
            raise google_error(404, "NOT_FOUND", "Requested entity was not found.")
        return self.files[name]

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_format(wanted: object) -> None:
    fields = wanted if isinstance(wanted, dict) else {}
    for name, allowed in (
        ("type", ("video",)),
        ("aspect_ratio", _ASPECT_RATIOS),
        ("resolution", _RESOLUTIONS),
        ("duration", _DURATIONS),
        ("delivery", ("inline", "uri")),
    ):
        if fields.get(name) not in allowed:
            raise refusal(400, "invalid_request", f"response_format.{name}: invalid value")
