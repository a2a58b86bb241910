"""`/api/narrate`: a text as an MP3, to listen to, and to send as `audioBuffer`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web

from bot.errors import MediaError
from bot.media.speech import checked_text
from bot.web.errors import ApiError
from bot.web.objects import read_object
from storage.speeches import Listener

if TYPE_CHECKING:
    from bot.narrator import Narrator, Recording
    from bot.web.doors import Doors

log = logging.getLogger(__name__)

_FIELD = "text"
_MOST_BYTES = 16 * 1024  # as JSON may write the longest text
_SECONDS = 300.0
_HEADERS = {
    hdrs.CONTENT_TYPE: "audio/mpeg",
    hdrs.CONTENT_DISPOSITION: 'attachment; filename="narration.mp3"',
    hdrs.CACHE_CONTROL: "no-store",
}
_CHUNK = 64 * 1024


class Narrations:
    """Speaks for clients, each one text at a time; without a `narrator` nothing is spoken."""

    def __init__(self, narrator: Narrator | None, doors: Doors) -> None:
        self._narrator = narrator
        self._doors = doors

    @property
    def routes(self) -> list[web.RouteDef]:
        """Where to have a text spoken."""
        return [web.post("/api/narrate", self._doors.closed(self._narrate))]

    async def _narrate(self, request: web.Request, client: str) -> web.StreamResponse:
        text = checked_text(_text(await read_object(request, max_bytes=_MOST_BYTES)))
        if self._narrator is None:
            raise ApiError(HTTPStatus.CONFLICT, "api.no_voice")
        async with AsyncExitStack() as stack:
            with self._narrator.turn(client):
                await self._narrator.count(Listener(client=client), text)
                try:
                    async with asyncio.timeout(_SECONDS):
                        recording = await stack.enter_async_context(self._narrator.speak(text))
                except (TimeoutError, MediaError) as error:
                    log.warning("speech.failed client=%s error=%r", client, str(error))
                    raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "speech.unavailable") from error
            # Whoever listens slowly keeps a file, and holds up nobody.
            return await _send(request, recording)


def _text(fields: dict[str, Any]) -> str:
    for name in fields:
        if name != _FIELD:
            raise ApiError(HTTPStatus.BAD_REQUEST, "api.only_text", field=name[:50])
    text = fields.get(_FIELD)
    if not isinstance(text, str):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.no_text")
    return text


async def _send(request: web.Request, recording: Recording) -> web.StreamResponse:
    response = web.StreamResponse(headers=_HEADERS)
    with recording.path.open("rb") as file:
        response.content_length = file.seek(0, 2)
        file.seek(0)
        await response.prepare(request)
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            await response.write(chunk)
    await response.write_eof()
    return response
