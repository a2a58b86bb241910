"""Checks the bot's requests against schemas of Discord's API, in `documents/discord`."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from tests.support.schemas.json_schemas import complain, load, pointer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.demo.fake_discord.state.history import Recorded

ROUTES = "discord/routes.json"
MAX_FILES = 10
MAX_COMPONENTS = 40
MAX_LETTERS = 4000
_PARAMETER = re.compile(r"\{(\w+)\}")
_WORDS = {"0": False, "1": True, "false": False, "true": True}
_SERVER_ERROR = 500
_TEXT = 10


def check_all(requests: Iterable[Recorded]) -> None:
    """Check every request; AssertionError: names the first that Discord does not allow."""
    for recorded in requests:
        check(recorded)


def check(recorded: Recorded) -> None:
    """Check one request: its route, its path, its query, its body, its files and its status."""
    route = load(ROUTES)["routes"].get(recorded.template, {}).get(recorded.method.lower())
    assert route is not None, f"Discord has no {recorded.operation}"
    _check_path(recorded)
    _check_query(recorded, route.get("query", ()))
    if recorded.arrived:
        _check_body(recorded, route.get("forms"))
    _check_status(recorded, route["answers"])


def check_message(payload: object) -> None:
    """Check a message in an answer of the fake Discord."""
    complain("a message", "discord/answers.json#/$defs/Message", payload)


def as_strings(body: object) -> object:
    """Convert ids that discord.py sends as numbers to strings; Discord accepts both."""
    if not isinstance(body, dict):
        return body
    body = copy.deepcopy(body)
    if "recipient_id" in body:
        body["recipient_id"] = str(body["recipient_id"])
    for attachment in _message_in(body).get("attachments") or ():
        attachment["id"] = str(attachment["id"])
    return body


def _check_path(recorded: Recorded) -> None:
    template = recorded.template
    # No template has characters that are special in a regular expression.
    pattern = _PARAMETER.sub(r"(?P<\1>[^/]+)", template)
    match = re.fullmatch(pattern, recorded.path)
    assert match is not None, f"{recorded.path} does not match {template}"
    for name, value in match.groupdict().items():
        complain(name, f"{ROUTES}#{pointer('parameters', name)}", value)


def _check_query(recorded: Recorded, known: Iterable[str]) -> None:
    for name, text in recorded.query.items():
        assert name in known, f"{recorded.operation} has no parameter {name}"
        kind = load(ROUTES)["parameters"][name].get("type")
        value = _WORDS.get(text, text) if kind == "boolean" else text
        if kind == "integer" and text.isdecimal():
            value = int(text)
        complain(f"?{name}={text}", f"{ROUTES}#{pointer('parameters', name)}", value)


def _check_body(recorded: Recorded, forms: list[str] | None) -> None:
    what = recorded.operation
    if forms is None:
        assert recorded.json is None, f"{what} allows no body"
        return
    assert recorded.json is not None, f"{what} needs a body"
    form = "multipart/form-data" if recorded.multipart else "application/json"
    assert form in forms, f"{what} does not allow {form}"
    body = pointer("routes", recorded.template, recorded.method.lower(), "body")
    complain(what, f"{ROUTES}#{body}", as_strings(recorded.json))
    _check_files(recorded)
    _check_sums(recorded)


def _check_files(recorded: Recorded) -> None:
    indices = [stored.index for stored in recorded.files]
    assert len(set(indices)) == len(indices) <= MAX_FILES, f"files {indices}"
    attachments = _message_in(recorded.json).get("attachments") or []
    small = {int(a["id"]) for a in attachments if int(a["id"]) < MAX_FILES}
    assert small in (set(indices), set()), f"attachments {small} are not the files {indices}"


def _check_sums(recorded: Recorded) -> None:
    """Check the limits on all components of a message together, which a schema can't express."""
    parts = list(_every(_message_in(recorded.json).get("components") or ()))
    assert len(parts) <= MAX_COMPONENTS, f"{recorded.operation}: {len(parts)} components"
    letters = sum(len(part["content"]) for part in parts if part["type"] == _TEXT)
    assert letters <= MAX_LETTERS, f"{recorded.operation}: {letters} characters in components"
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    assert len(ids) == len(set(ids)), f"{recorded.operation}: a custom_id is used twice"


def _check_status(recorded: Recorded, answers: list[str]) -> None:
    # The status is 0 without an answer. The schemas do not list server errors.
    if not 0 < recorded.status < _SERVER_ERROR:
        return
    kinds = {str(recorded.status), f"{recorded.status // 100}XX"}
    assert kinds & set(answers), f"{recorded.operation} is not answered with {recorded.status}"


def _message_in(body: Any) -> dict[str, Any]:
    """Return the message that a body is or contains."""
    if not isinstance(body, dict):
        return {}
    return body.get("data") or body


def _every(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        inner = component.get("components", ())
        yield from _every([component["component"]] if "component" in component else inner)
