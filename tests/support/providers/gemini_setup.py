"""Helpers for the tests of the Gemini adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.providers.contract import GEMINI
from tests.support.providers.gemini_api import answered
from tests.support.providers.openai_setup import MAX_BYTES, bytes_of

if TYPE_CHECKING:
    from pathlib import Path

    from bot.backends.base import BackendUpdate
    from bot.backends.gemini.adapter import Gemini
    from bot.model import VideoRequest
    from tests.support.providers.gemini_api import GeminiApi

REQUEST = GEMINI.request


def connected(api: GeminiApi, **settings: Any) -> Gemini:
    backend: Any = GEMINI.connect(api.base_url, **settings)
    return backend


async def submit(backend: Gemini, request: VideoRequest = REQUEST) -> str:
    return (await backend.submit(request, create_key="k")).ref


async def finished(api: GeminiApi, backend: Gemini, **result: str) -> BackendUpdate:
    """Make a video, and return its update; `result` replaces fields of the video's content."""
    ref = await submit(backend)
    api.finish(ref)
    if result:
        api.jobs[ref]["steps"] = answered({"type": "video"} | result)
    return await backend.poll(ref)


async def fetched(backend: Gemini, update: BackendUpdate, folder: Path) -> bytes:
    await backend.fetch(update, folder / "v.mp4", max_bytes=MAX_BYTES)
    return bytes_of(folder / "v.mp4")
