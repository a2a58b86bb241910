"""`/`: the page that people write scripts on, and what it is made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.presets import MAX_PROMPT
from bot.speech.voice import MAX_TEXT
from bot.web.http.error_response import language
from bot.web.pages.assets import Asset, fill, load

if TYPE_CHECKING:
    from bot.texts import Texts

# Each is loaded by name, so that no path of anybody's is ever opened.
_PARTS = (
    *("app.css", "icon.svg"),
    *("app.js", "calls.js", "compose.js", "dom.js", "jobs.js", "live.js", "sharing.js", "stage.js"),
    *("speak.js", "words.js"),
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, hdrs.VARY: hdrs.ACCEPT_LANGUAGE}
_MIB = 1024 * 1024
_OTHER_WORDS = ("prompt.empty", "audio.too_large", "speech.empty")


class HomePage:
    """Serves the page in the caller's language; it holds nothing that is anybody's own.

    `sharing`: there is an address for links; `speaking`: there is a voice.
    """

    def __init__(
        self, texts: Texts, *, max_audio_bytes: int, sharing: bool, speaking: bool
    ) -> None:
        self._texts = texts
        self._max_audio_bytes = max_audio_bytes
        self._sharing = sharing
        self._speaking = speaking
        self._template = load("index.html").text
        self._parts = {name: load(name) for name in _PARTS}
        self._pages: dict[str, Asset] = {}

    @property
    def routes(self) -> list[web.RouteDef]:
        """Where the page and its parts are."""
        return [web.get("/", self._show), web.get("/static/{name}", self._send)]

    async def _show(self, request: web.Request) -> web.Response:
        spoken = self._texts.nearest(language(request))
        if spoken not in self._pages:
            self._pages[spoken] = Asset(text=self._write(spoken), kind="text/html")
        return self._pages[spoken].answer(request, _HEADERS)

    async def _send(self, request: web.Request) -> web.Response:
        part = self._parts.get(request.match_info["name"])
        if part is None:
            raise web.HTTPNotFound
        return part.answer(request, {})

    def _write(self, spoken: str) -> str:
        max_mb = self._max_audio_bytes // _MIB

        def value(name: str) -> str:
            match name:
                case "language":
                    return spoken
                case "settings":
                    return self._settings(spoken, max_mb)
                case "max_prompt":
                    return str(MAX_PROMPT)
                case "max_text":
                    return str(MAX_TEXT)
                case "page.drop_hint":
                    return self._texts(name, spoken, max_mb=max_mb)
                case _:
                    return self._texts(name, spoken)

        return fill(self._template, value)

    def _settings(self, spoken: str, max_mb: int) -> str:
        """Write what the page's scripts have to know, as JSON."""
        keys = [key for key in self._texts.keys() if key.startswith("page.")]  # noqa: SIM118 - a method
        words = {key: self._texts.unfilled(key, spoken) for key in (*sorted(keys), *_OTHER_WORDS)}
        return json.dumps(
            {
                "language": spoken,
                "maxScript": MAX_PROMPT,
                "maxAudioBytes": self._max_audio_bytes,
                "maxAudioMb": max_mb,
                "maxText": MAX_TEXT,
                "sharing": self._sharing,
                "speaking": self._speaking,
                "words": words,
            }
        )
