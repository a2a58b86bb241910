"""What our own pages are made of: small files in memory, answered with an ETag."""

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
_FIELD = re.compile(r"\{\{([\w.]+)\}\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """A text, and what it is."""

    text: str
    kind: str

    @property
    def tag(self) -> str:
        """What changes with the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        """Answer with the text, or with 304 where the caller has it already."""
        known = request.if_none_match or ()
        if any(tag.value == self.tag for tag in known):
            response = web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        else:
            response = web.Response(
                text=self.text, content_type=self.kind, charset="utf-8", headers=headers
            )
        response.etag = ETag(value=self.tag)
        # Asked about each time, so that a new version holds at once.
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")
        return response


def load(name: str) -> Asset:
    """Read one of our files (blocking; at the start only)."""
    path = _FOLDER / name
    return Asset(text=path.read_text(encoding="utf-8"), kind=_TYPES[path.suffix])


def fill(template: str, value: Callable[[str], str]) -> str:
    """Put values into the places of a page, `{{name}}`; each comes out as text, never as markup.

    A line with a value that is empty is left out.
    """
    lines: list[str] = []
    for line in template.splitlines():
        values = {name: value(name) for name in _FIELD.findall(line)}
        if all(values.values()):
            lines.append(_FIELD.sub(lambda found, known=values: html.escape(known[found[1]]), line))
    return "\n".join(lines) + "\n"
