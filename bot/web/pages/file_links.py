"""Handles `GET /d/<token>`, which sends a finished video to callers with a signed link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.web.http.kept_files import KeptFileSender

if TYPE_CHECKING:
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from storage.artifacts import ArtifactStore


class FileLinks:
    """Sends videos to callers with a signed link. Every invalid link gets the same 404 response."""

    def __init__(self, links: Links, artifacts: ArtifactStore, workspace: Workspace) -> None:
        self._links = links
        self._artifacts = artifacts
        self._files = KeptFileSender(workspace)

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of signed links."""
        return [web.get("/d/{token}", self._download)]

    async def _download(self, request: web.Request) -> web.StreamResponse:
        job_id = self._links.check(request.match_info["token"])
        if job_id is None or await self._artifacts.get(job_id) is None:
            raise web.HTTPNotFound
        headers = {
            "Content-Type": "video/mp4",
            "Content-Disposition": f'inline; filename="clapper-{job_id[:8]}.mp4"',
            "Cache-Control": "private",
        }
        return await self._files.send_video(request, job_id, headers)
