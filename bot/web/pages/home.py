"""Serves `/`, the web page for ordering videos, and its static files."""

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

# Only these files are served, so a path from a request is never opened.
_FILES = (
    "app.css",
    "app.js",
    "calls.js",
    "connection.js",
    "deleting.js",
    "dom.js",
    "icon.svg",
    "job_list.js",
    "job_view.js",
    "live.js",
    "narration.js",
    "order_form.js",
    "sharing.js",
    "texts.js",
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, hdrs.VARY: hdrs.ACCEPT_LANGUAGE}
_MIB = 1024 * 1024
_OTHER_TEXTS = ("prompt.empty", "audio.too_large", "speech.empty")


class HomePage:
    """Serves the page in the browser's language. The page itself contains no client's data.

    `sharing`: whether clients can create share links.
    `speaking`: whether texts can be read aloud.
    """

    def __init__(
        self, texts: Texts, *, max_audio_bytes: int, sharing: bool, speaking: bool
    ) -> None:
        self._texts = texts
        self._max_audio_bytes = max_audio_bytes
        self._sharing = sharing
        self._speaking = speaking
        self._template = load("index.html").text
        self._files = {name: load(name) for name in _FILES}
        self._pages: dict[str, Asset] = {}

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes of the page and of its static files."""
        return [web.get("/", self._show), web.get("/static/{name}", self._send)]

    async def _show(self, request: web.Request) -> web.Response:
        locale = self._texts.nearest(language(request))
        if locale not in self._pages:
            self._pages[locale] = Asset(text=self._write(locale), content_type="text/html")
        return self._pages[locale].response_to(request, _HEADERS)

    async def _send(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return file.response_to(request, {})

    def _write(self, locale: str) -> str:
        max_mb = self._max_audio_bytes // _MIB

        def value(name: str) -> str:
            match name:
                case "language":
                    return locale
                case "settings":
                    return self._settings(locale, max_mb)
                case "max_prompt":
                    return str(MAX_PROMPT)
                case "max_text":
                    return str(MAX_TEXT)
                case "page.drop_hint":
                    return self._texts(name, locale, max_mb=max_mb)
                case _:
                    return self._texts(name, locale)

        return fill(self._template, value)

    def _settings(self, locale: str, max_mb: int) -> str:
        """Return the limits and texts that the page's scripts need, as JSON."""
        keys = [key for key in sorted(self._texts.keys()) if key.startswith("page.")]
        words = {key: self._texts.unfilled(key, locale) for key in (*keys, *_OTHER_TEXTS)}
        return json.dumps(
            {
                "language": locale,
                "maxScript": MAX_PROMPT,
                "maxAudioBytes": self._max_audio_bytes,
                "maxAudioMb": max_mb,
                "maxText": MAX_TEXT,
                "sharing": self._sharing,
                "speaking": self._speaking,
                "words": words,
            }
        )
