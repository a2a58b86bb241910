"""Handles `GET /d/<token>`, which sends a finished video to callers with a signed link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.web.http.file_response import open_file, send_file

if TYPE_CHECKING:
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from storage.artifacts import ArtifactStore


class FileLinks:
    """Sends videos to callers with a signed link. Every invalid link gets the same 404 response."""

    def __init__(self, links: Links, artifacts: ArtifactStore, workspace: Workspace) -> None:
        self._links = links
        self._artifacts = artifacts
        self._workspace = workspace

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
        try:
            file = await open_file(await self._workspace.fetch_video(job_id))
        except OSError:
            raise web.HTTPNotFound from None
        with file:
            return await send_file(request, file, headers)
