"""Keeps the posters of finished videos: each is taken once, when it is first asked for."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.process.child import LostChildError
from bot.media.render.poster import take_poster

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.files.workspace import Workspace
    from bot.media.process.ffmpeg import Ffmpeg

log = logging.getLogger(__name__)

_MOST_REMEMBERED = 1000


class PosterCache:
    """Takes posters with an ffmpeg of its own: who looks at a page does not wait for renderings."""

    def __init__(self, ffmpeg: Ffmpeg, workspace: Workspace) -> None:
        self._ffmpeg = ffmpeg
        self._workspace = workspace
        self._lock = asyncio.Lock()
        self._impossible: set[str] = set()

    async def get(self, job_id: str) -> Path | None:
        """Return the poster of a finished video; None: none can be taken."""
        poster = self._workspace.poster(job_id)
        if await asyncio.to_thread(poster.exists):
            return poster
        async with self._lock:
            # Who held the lock before may have been at the same one.
            if await asyncio.to_thread(poster.exists):
                return poster
            return await self._take(job_id, poster)

    async def _take(self, job_id: str, poster: Path) -> Path | None:
        if job_id in self._impossible:
            return None
        try:
            await take_poster(self._ffmpeg, self._workspace.video(job_id), poster)
        except (MediaError, OSError) as error:
            log.warning("poster.failed id=%s reason=%r", job_id, str(error))
            if not isinstance(error, LostChildError):
                self._remember(job_id)
            return None
        return poster

    def _remember(self, job_id: str) -> None:
        if len(self._impossible) >= _MOST_REMEMBERED:
            self._impossible.clear()
        self._impossible.add(job_id)
