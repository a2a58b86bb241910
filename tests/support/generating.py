"""Runs `python -m bot generate` against a provider."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.command_line import start
from tests.support.providers.videos_api import VideosApi
from tests.support.wire import SECRET, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.forks import Process


@asynccontextmanager
async def provider(
    clip: Path, *, seconds_per_job: float = 0.2
) -> AsyncGenerator[tuple[VideosApi, dict[str, str]]]:
    """Open a provider that sends webhooks; yield it and the settings for it."""
    port = free_port()
    async with VideosApi(
        clip=clip,
        seconds_per_job=seconds_per_job,
        webhook_url=f"http://127.0.0.1:{port}/api/webhook/video-events",
        webhook_secret=SECRET,
    ) as api:
        yield (
            api,
            {
                "VIDEO_BACKEND": "openai",
                "OPENAI_BASE_URL": api.base_url,
                "OPENAI_WEBHOOK_SECRET": SECRET,
                "HTTP_PORT": str(port),
            },
        )


async def start_generating(folder: Path, settings: dict[str, str]) -> Process:
    """Order a video, and return the running command once the provider generates the video."""
    process = await start(folder, "generate", "a cat", "-o", "out.mp4", **settings)
    assert process.stderr is not None
    while b"Creating the video" not in await process.stderr.readline():
        pass
    return process
