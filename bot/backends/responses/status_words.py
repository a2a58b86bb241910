"""Lists the field names and the status words that providers use for their jobs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.backends.base import RemoteState

if TYPE_CHECKING:
    from collections.abc import Mapping

ID_NAMES = (
    "id",
    "task_id",  # new-api, Kling, DashScope, MiniMax
    "taskId",  # kie
    "video_id",  # HeyGen, PixVerse
    "videoId",
    "job_id",  # LTX, Higgsfield
    "jobId",
    "generation_id",  # Luma's and Leonardo's older APIs
    "generationId",
    "prediction_id",
    "inference_id",
    "operation_id",
    "uuid",
)
STATUS_NAMES = (
    "status",
    "task_status",  # Kling, DashScope, Zhipu
    "taskStatus",
    "state",  # Luma, kie
    "job_status",
    "video_status",
    "generation_status",
)
ENVELOPES = (
    *("data", "output", "result", "task", "job"),
    *("generation", "prediction", "response", "video"),
)
ERROR_NAMES = (
    "fail_reason",  # new-api
    "failReason",
    "failure_reason",  # Luma
    "failure",  # Runway
    "failureCode",
    "failMsg",  # kie
    "failCode",
    "task_status_msg",  # Kling
    "error_message",
    "errorMessage",
    "error_msg",
    "err_msg",
    "error_code",
    "err_code",  # Vidu
    "errors",
    "base_resp",  # MiniMax
)
MORE_ERROR_NAMES = ("code", "message", "msg", "reason", "detail")
"""These names can also mean something else, so they are only read if the job has failed."""

END_NAMES = (
    "finished_at",
    "finishedAt",
    "finish_time",  # new-api
    "completed_at",
    "completedAt",
    "ended_at",
    "end_time",  # DashScope
    "completion_time",
)

WORDS: Mapping[RemoteState, Mapping[str, tuple[str, ...]]] = {
    RemoteState.QUEUED: {
        "OpenAI, OpenRouter, Runway": ("queued", "pending"),
        "Replicate, Kling, gateways": ("starting", "submitted", "unknown"),
        "fal, RunPod, SiliconFlow": ("in_queue", "queue"),
        "MiniMax, Vidu, kie": ("queueing", "queuing", "preparing", "created", "waiting"),
        "new-api": ("not_start", "not_started"),
        "Tencent, Google": ("wait", "accepted", "scheduled"),
    },
    RemoteState.RUNNING: {
        "OpenAI, fal": ("in_progress",),
        "Kling, Replicate": ("processing",),
        "Runway, DashScope": ("running", "throttled"),
        "Tencent": ("run",),
        "kie, Jimeng": ("generating", "rendering"),
    },
    RemoteState.DONE: {
        "OpenAI, Replicate, Kling": ("completed", "succeeded", "succeed", "done"),
        "new-api, MiniMax, Zhipu, Vidu, ComfyUI": ("success", "successful"),
        "Leonardo, Synthesia": ("complete", "finished", "finish"),
        "Black Forest Labs": ("ready",),
    },
    RemoteState.FAILED: {
        "OpenAI": ("failed", "error", "incomplete", "expired", "deleted"),
        "several": ("cancelled", "canceled", "aborted", "timeout", "timed_out", "terminated"),
        "Gemini": ("budget_exceeded", "requires_action"),
        "new-api, MiniMax, Zhipu, Tencent": ("failure", "fail"),
        "Black Forest Labs": ("request_moderated", "content_moderated", "task_not_found"),
        "Higgsfield": ("nsfw",),
        "D-ID, several": ("rejected", "blocked", "moderated", "content_filter"),
    },
}

_PREFIX = re.compile(r"^(?:task|job|video|generation)_?(?:status|state)_")
_STATES = {
    word.replace("_", ""): state
    for state, by_provider in WORDS.items()
    for words in by_provider.values()
    for word in words
}


def state_of(status: str) -> RemoteState | None:
    """Return the state that a status word in lower case means, or None if the word is unknown.

    Prefixes and underscores are ignored: `task_status_succeed` counts as `succeed`, and
    `inprogress` as `in_progress`.
    """
    return _STATES.get(_PREFIX.sub("", status).replace("_", ""))
