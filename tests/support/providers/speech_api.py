"""A stand-in for `/v1/audio/speech`, which answers with a real MP3 of a few seconds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from tests.support.providers.stand_in import Refusal, StandIn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FORMATS = {"mp3": "audio/mpeg", "opus": "audio/opus", "wav": "audio/wav"}
MAX_INPUT = 4096


class SpeechApi(StandIn):
    """A speech server; `creates` lists the texts that it has charged for, and `voices` theirs."""

    prefix: ClassVar[str] = "/v1"

    def __init__(self, sound: bytes, *, key: str | None = None) -> None:
        super().__init__(key=key)
        self.sound = sound
        self.voices: list[str] = []

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        return [("POST", "/audio/speech", "speech", self._speak)]

    def refused_key(self, sent: str) -> Refusal:
        return _refusal(401, f"Incorrect API key provided: {sent}.", code="invalid_api_key")

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        try:
            asked: dict[str, Any] = json.loads(await request.read())
        except ValueError:
            raise _refusal(400, "We could not parse the JSON body of your request.") from None
        for field in ("model", "input", "voice"):
            if not isinstance(asked.get(field), str) or not asked[field]:
                raise _refusal(400, f"Missing required parameter: '{field}'.", param=field)
        if len(asked["input"]) > MAX_INPUT:
            raise _refusal(400, "String too long.", param="input")
        form = asked.get("response_format", "mp3")
        if form not in FORMATS:
            raise _refusal(400, f"Invalid value: '{form}'.", param="response_format")
        self.creates.append(asked["input"])
        self.voices.append(asked["voice"])
        return web.Response(body=self.sound, content_type=FORMATS[form])


def _refusal(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refusal(status, {"error": error})
