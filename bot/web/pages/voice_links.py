"""Handles `GET /n/<token>`, which sends the sound of a narration to the video service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.artifacts import VoiceUse
from bot.model import AT_PROVIDER
from bot.web.http.file_response import open_file, send_file

if TYPE_CHECKING:
    from bot.jobs.service import JobService
    from bot.links import Links
    from bot.media.files.workspace import Workspace

_HEADERS = {"Content-Type": "audio/mpeg", "Cache-Control": "no-store"}


class VoiceLinks:
    """Sends a narration only while the video service is working on the narration's job.

    Every invalid link gets the same 404 response.
    """

    def __init__(self, links: Links, jobs: JobService, workspace: Workspace) -> None:
        self._links = links
        self._jobs = jobs
        self._workspace = workspace

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of voice links."""
        return [web.get("/n/{token}", self._send)]

    async def _send(self, request: web.Request) -> web.StreamResponse:
        job_id = self._links.check_for_voice(request.match_info["token"])
        if job_id is None or not await self._is_wanted(job_id):
            raise web.HTTPNotFound
        try:
            file = await open_file(self._workspace.folder(job_id).voice)
        except OSError:
            raise web.HTTPNotFound from None
        with file:
            return await send_file(request, file, _HEADERS)

    async def _is_wanted(self, job_id: str) -> bool:
        job = await self._jobs.get(job_id)
        if job is None or job.state not in AT_PROVIDER:
            return False
        # If the requester withdraws the consent, no service may hear the voice any longer.
        return job.voice.use is VoiceUse.SENT and bool(job.voice.service)
