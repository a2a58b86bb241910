"""Caches the posters of finished videos. A poster is extracted when it is first requested."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import FileStoreError, MediaError
from bot.media.process.child import LostChildError
from bot.media.render.poster import extract_poster

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.files.workspace import Workspace
    from bot.media.process.ffmpeg import Ffmpeg

log = logging.getLogger(__name__)

_MAX_REMEMBERED = 1000


class PosterCache:
    """Extracts and caches posters.

    `ffmpeg` must not be the one that renders videos. Otherwise, page views would wait for videos.
    """

    def __init__(self, ffmpeg: Ffmpeg, workspace: Workspace) -> None:
        self._ffmpeg = ffmpeg
        self._workspace = workspace
        self._lock = asyncio.Lock()
        self._impossible: set[str] = set()

    async def make(self, job_id: str) -> bool:
        """Extract the poster of a finished video, unless the poster exists already.

        Returns whether the poster exists now.
        """
        if await self._workspace.has_poster(job_id):
            return True
        async with self._lock:
            # While this task was waiting for the lock, another task may have extracted the poster.
            return await self._workspace.has_poster(job_id) or await self._extract(job_id)

    async def get(self, job_id: str) -> Path | None:
        """Return the path of a video's poster, or None if no poster can be extracted."""
        return await self._workspace.fetch_poster(job_id) if await self.make(job_id) else None

    async def _extract(self, job_id: str) -> bool:
        if job_id in self._impossible:
            return False
        try:
            video = await self._workspace.fetch_video(job_id)
            async with self._workspace.new_poster(job_id) as poster:
                await extract_poster(self._ffmpeg, video, poster)
        except (MediaError, OSError) as error:
            log.warning("poster.failed id=%s reason=%r", job_id, str(error))
            if not isinstance(error, LostChildError | FileStoreError):
                self._remember(job_id)
            return False
        return True

    def _remember(self, job_id: str) -> None:
        if len(self._impossible) >= _MAX_REMEMBERED:
            self._impossible.clear()
        self._impossible.add(job_id)
