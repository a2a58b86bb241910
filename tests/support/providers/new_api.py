"""NewApi: a Videos API in the words of new-api, a gateway that can't be installed from PyPI or npm.

Source: relay/relay_task.go, relay/channel/task/{sora,kling}/adaptor.go, dto/task.go and
controller/video_proxy.go of its repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiohttp import web

from tests.support.providers.stand_in import Refusal
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.providers.video_stand_in import Job


def task_error(status: int, code: str, message: str) -> Refusal:
    """Return an error as the task routes send it."""
    return Refusal(status, {"code": code, "message": message, "data": None})


def as_video(job: Job) -> dict[str, Any]:
    """Describe a job as the Sora channel does: without the prompt, and with the provider's id."""
    left_out = {"prompt", "error", "completed_at", "expires_at", "remixed_from_video_id"}
    body = {name: value for name, value in job.items() if name not in left_out and value}
    body |= {"progress": job["progress"], "task_id": f"video_upstream_{job['id']}"}
    return body | ({"error": job["error"]} if job["error"] else {})


def as_kling_video(job: Job) -> dict[str, Any]:
    """Describe a job as the Kling channel does: Kling's times, which are in milliseconds."""
    done = job["status"] == "completed"
    body = as_video(job) | {"status": "unknown" if job["status"] == "queued" else job["status"]}
    body["created_at"] = job["created_at"] * 1000
    body["completed_at"] = (job["completed_at"] or job["created_at"]) * 1000
    return body | ({"metadata": {"url": job["url"]}} if done and job.get("url") else {})


def as_task(job: Job) -> dict[str, Any]:
    """Describe a job as the older route does: a task in an envelope."""
    words = {"queued": "NOT_START", "in_progress": "IN_PROGRESS", "completed": "SUCCESS"}
    done = job["status"] == "completed"
    error = job["error"] or {}
    task = {
        "id": 4711,
        "created_at": job["created_at"],
        "updated_at": job["created_at"],
        "task_id": job["id"],
        "platform": "55",
        "user_id": 1,
        "channel_id": 3,
        "action": "textGenerate",
        "status": words.get(job["status"], "FAILURE"),
        "fail_reason": error.get("message", ""),
        "submit_time": job["created_at"],
        "start_time": job["created_at"],
        "finish_time": job["completed_at"] or 0,
        "progress": f"{job['progress']}%",
        "properties": {"input": "", "upstream_model_name": job["model"]},
        "data": {"id": f"video_upstream_{job['id']}", "status": job["status"], "object": "video"},
    }
    url = {"result_url": job["url"]} if done and job.get("url") else {}
    return {"code": "success", "message": "", "data": task | url}


CHANNELS: dict[str, Callable[[Job], object]] = {
    "Sora": as_video,
    "Kling": as_kling_video,
    "older tasks": as_task,
}


class NewApi(VideosApi):
    """new-api's task routes: no list, no deletion, 400 for an unknown task.

    `channel`: one of CHANNELS.
    """

    def __init__(self, *, channel: str = "Sora", **options: Any) -> None:
        super().__init__(**options)
        self.new_id = lambda: f"task_{uuid4().hex}"
        self.shape = CHANNELS[channel]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        await super()._create(request)
        job = self.jobs[self.creates[-1]]
        named = {"id": job["id"], "task_id": job["id"], "object": "video", "model": job["model"]}
        queued = {"status": "queued", "progress": 0, "created_at": job["created_at"]}
        return web.json_response(named | queued)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        raise self._no_route(request)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        raise self._no_route(request)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            raise _proxy_error(404, "Task not found")
        if job["status"] != "completed":
            raise _proxy_error(400, "Task is not completed yet, current status: IN_PROGRESS")
        return await super()._content(request)

    def _known(self, request: web.Request) -> Job:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            raise task_error(400, "task_not_exist", "task_not_exist")
        return job

    @staticmethod
    def _no_route(request: web.Request) -> Refusal:
        message = f"Invalid URL ({request.method} {request.path})"
        error = {"message": message, "type": "invalid_request_error", "param": "", "code": ""}
        return Refusal(404, {"error": error})


def _proxy_error(status: int, message: str) -> Refusal:
    return Refusal(status, {"error": {"message": message, "type": "invalid_request_error"}})
