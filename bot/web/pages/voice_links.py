"""Handles `GET /n/<token>`, which sends the sound of a narration to the video service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from aiohttp import web

from bot.artifacts import VoiceUse
from bot.errors import MediaError
from bot.model import AT_PROVIDER
from bot.web.http.file_response import open_file, send_file

if TYPE_CHECKING:
    from pathlib import Path

    from bot.jobs.guiding.sounds import VoiceEncoder
    from bot.jobs.service import JobService
    from bot.links import Links
    from bot.model import Job

_HEADERS = {"Content-Type": "audio/mpeg", "Cache-Control": "no-store"}


class VoiceLinks:
    """Sends a narration only while the video service is working on the narration's job.

    Every invalid link gets the same 404 response.
    """

    def __init__(self, links: Links, jobs: JobService, encoder: VoiceEncoder) -> None:
        self._links = links
        self._jobs = jobs
        self._encoder = encoder
        # A lock is garbage-collected once no task holds it or is waiting for it.
        self._encoding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of voice links."""
        return [web.get("/n/{token}", self._send)]

    async def _send(self, request: web.Request) -> web.StreamResponse:
        job_id = self._links.check_for_voice(request.match_info["token"])
        job = await self._jobs.get(job_id) if job_id else None
        if job is None or not _is_wanted(job):
            raise web.HTTPNotFound
        try:
            file = await open_file(await self._encoded(job))
        except (MediaError, OSError):
            raise web.HTTPNotFound from None
        with file:
            return await send_file(request, file, _HEADERS)

    async def _encoded(self, job: Job) -> Path:
        # Another process may have sent the create request from another machine.
        async with self._encoding.setdefault(job.id, asyncio.Lock()):
            return (await self._encoder.encode(job)).path


def _is_wanted(job: Job) -> bool:
    # If the requester withdraws the consent, no service may hear the voice any longer.
    is_heard = job.voice.use is VoiceUse.SENT and bool(job.voice.service)
    return is_heard and job.state in AT_PROVIDER
