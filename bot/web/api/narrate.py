"""Handles `POST /api/narrate`, which reads a text aloud and returns an MP3 file."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.errors import MediaError
from bot.speech.voice import checked_text
from bot.web.api.json_body import read_object
from bot.web.api.order_body import VERSION, check_version
from bot.web.http.error_response import ApiError
from bot.web.http.file_response import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from bot.speech.narrator import Narrator
    from bot.web.api.access import Access

log = logging.getLogger(__name__)

_FIELD = "text"
_MAX_BODY_BYTES = 16 * 1024  # enough for the longest text, even if every character is escaped
_HEADERS = {
    hdrs.CONTENT_TYPE: "audio/mpeg",
    hdrs.CONTENT_DISPOSITION: 'attachment; filename="narration.mp3"',
    hdrs.CACHE_CONTROL: "no-store",
}
_CHUNK = 64 * 1024


class NarrateRoutes:
    """Reads texts aloud, one at a time for each client.

    `narrator`: reads the texts, or is None if no voice is configured. If it is None, all requests
    are refused.
    """

    def __init__(self, narrator: Narrator | None, access: Access) -> None:
        self._narrator = narrator
        self._access = access

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route of `POST /api/narrate`."""
        return [web.post("/api/narrate", self._access.authenticated(self._narrate))]

    async def _narrate(self, request: web.Request, client: str) -> web.StreamResponse:
        text = checked_text(await _text(request))
        if self._narrator is None:
            raise ApiError(HTTPStatus.CONFLICT, "api.no_voice")
        try:
            with self._narrator.speech_lock(client):
                recording = await self._narrator.speak_for(client, text)
        except MediaError as error:
            log.warning("speech.failed client=%s error=%r", client, str(error))
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "speech.unavailable") from error
        return await _send(request, recording)


async def _text(request: web.Request) -> str:
    check_version(request.query.get(VERSION))
    if request.content_type != "application/json":
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "api.json_only")
    fields = await read_object(request, max_bytes=_MAX_BODY_BYTES)
    for name in (request.query.keys() - {VERSION}) | (fields.keys() - {_FIELD}):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.only_text", field=name[:50])
    text = fields.get(_FIELD)
    if not isinstance(text, str):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.no_text")
    return text


async def _send(request: web.Request, recording: Path) -> web.StreamResponse:
    response = web.StreamResponse(headers=_HEADERS)
    with await open_file(recording) as file:
        response.content_length = file.seek(0, 2)
        file.seek(0)
        await response.prepare(request)
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            await response.write(chunk)
    await response.write_eof()
    return response
