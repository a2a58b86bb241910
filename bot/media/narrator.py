"""The pipeline's way to a narration: fetch it, ingest it, lay it over the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.ingest import ingest, read_narration
from bot.media.merge import merge

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.download import AttachmentFetcher
    from bot.media.ffmpeg import Ffmpeg
    from bot.media.workspace import Workspace


class Narrator:
    """Works on the files of one job's folder; every call may be repeated."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        fetcher: AttachmentFetcher,
        workspace: Workspace,
        *,
        max_seconds: int,
    ) -> None:
        self._ffmpeg = ffmpeg
        self._fetcher = fetcher
        self._workspace = workspace
        self._max_seconds = max_seconds

    async def ingest(self, job_id: str, url: str) -> None:
        """Fetch an attachment and make it the job's narration.

        UserError: it is none. MediaError: it may work later.
        """
        folder = await self._workspace.create(job_id)
        if await read_narration(folder.narration) is not None:
            return
        await self._fetcher.fetch(url, folder.attachment)
        await ingest(
            self._ffmpeg, folder.attachment, folder.narration, max_seconds=self._max_seconds
        )

    async def merge(self, job_id: str) -> Path:
        """Lay the narration over the clip and return the result.

        MediaError: it can't be done.
        """
        folder = self._workspace.folder(job_id)
        narration = await read_narration(folder.narration)
        if narration is None:
            raise MediaError("the narration is gone from the workspace")
        await merge(self._ffmpeg, folder.clip, narration, folder.result)
        return folder.result
