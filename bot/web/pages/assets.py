"""Keeps the static files of the web pages in memory, and serves them with an ETag."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ETag, hdrs, web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_PLACEHOLDER = re.compile(r"\{\{([\w.]+)\}\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """A static text file, with its content type."""

    text: str
    content_type: str

    @property
    def etag(self) -> str:
        """The hash of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    def response_to(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        """Return a response with the text, or status 304 if the browser already has the text."""
        known = request.if_none_match or ()
        if any(etag.value == self.etag for etag in known):
            response = web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        else:
            response = web.Response(
                text=self.text, content_type=self.content_type, charset="utf-8", headers=headers
            )
        response.etag = ETag(value=self.etag)
        # With "no-cache", the browser asks each time whether its copy is current.
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")
        return response


def load(name: str) -> Asset:
    """Read a static file.

    Blocks the event loop, so it is only called at the start.
    """
    path = _FOLDER / name
    return Asset(text=path.read_text(encoding="utf-8"), content_type=_TYPES[path.suffix])


def fill(template: str, value: Callable[[str], str]) -> str:
    """Replace each `{{name}}` in a template with its value, escaped for HTML.

    A line that contains an empty value is left out.
    """
    lines: list[str] = []
    for line in template.splitlines():
        values = {name: value(name) for name in _PLACEHOLDER.findall(line)}
        if all(values.values()):
            lines.append(
                _PLACEHOLDER.sub(lambda found, known=values: html.escape(known[found[1]]), line)
            )
    return "\n".join(lines) + "\n"
