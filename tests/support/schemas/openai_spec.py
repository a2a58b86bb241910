"""Checks a Videos API's requests and answers against OpenAI's schema, `documents/videos.json`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.support.schemas.json_schemas import complain, load, pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "videos.json"


def check_answer(method: str, path: str, status: int, body: object) -> None:
    """Check a JSON answer; `path` is below the base URL, such as "/videos/video_123"."""
    template, route = _route(method, path)
    answer = route["answers"].get(str(status))
    assert answer is not None, f"{method} {template} does not answer {status}"
    assert "application/json" in answer, f"{method} {template} does not answer JSON"
    place = pointer("routes", template, method.lower(), "answers", str(status), "application/json")
    complain(f"{method} {template}", f"{FILE}#{place}", body)


def check_request(
    method: str, path: str, query: Mapping[str, str], fields: Mapping[str, Any]
) -> None:
    """Check a request: its query, and the fields of its form or of its JSON object."""
    template, route = _route(method, path)
    what = f"{method} {template}"
    for name, text in query.items():
        assert name in route.get("query", ()), f"{what} knows no ?{name}"
        value = int(text) if text.isdecimal() else text
        complain(f"?{name}={text}", f"{FILE}#{pointer('parameters', name)}", value)
    if "body" in route:
        complain(what, f"{FILE}#{pointer('routes', template, method.lower(), 'body')}", fields)
    else:
        assert not fields, f"{what} takes no body"


def _route(method: str, path: str) -> tuple[str, Any]:
    """Return the template that matches a path, and the schema of its method."""
    for template, methods in load(FILE)["routes"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            route = methods.get(method.lower())
            assert route is not None, f"OpenAI has no {method} {template}"
            return template, route
    raise AssertionError(f"OpenAI has no {path}")
