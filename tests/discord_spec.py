"""Checks a request of the bot against Discord's own OpenAPI document."""

from __future__ import annotations

import copy
import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.demo.fake_discord.state.history import Recorded

URI = "urn:discord"
NAME = "discord_openapi.json"
MAX_FILES = 10
_PARAMETER = re.compile(r"\{(\w+)\}")


def check_all(requests: Iterable[Recorded]) -> None:
    """Check every request; AssertionError: the first that Discord's document does not allow."""
    for recorded in requests:
        check(recorded)


def check(recorded: Recorded) -> None:
    """Check one request: its operation, its path, its query, its body and its files.

    Skips the test where the document is absent, but fails it where CI=true.
    """
    path = specification()["paths"].get(recorded.template, {})
    operation = path.get(recorded.method.lower())
    assert operation is not None, f"Discord has no {recorded.operation}"
    parameters = [*path.get("parameters", []), *operation.get("parameters", [])]
    _check_path(recorded, parameters)
    _check_query(recorded, parameters)
    if recorded.arrived:
        _check_body(recorded, operation.get("requestBody"))


def check_schema(name: str, value: object) -> None:
    """Check any value against one of the document's schemas, such as "MessageResponse"."""
    _complain(name, _validator(f"#/components/schemas/{name}"), value)


@lru_cache(maxsize=1)
def specification() -> dict[str, Any]:
    """Return Discord's document, or skip the test."""
    default = Path(__file__).parents[2] / "shared" / "specs"
    path = Path(os.environ.get("CLAPPER_SPECS") or default) / NAME
    if path.is_file():
        return json.loads(path.read_text())
    advice = f"{path} is absent: `npm pack discord-api-spec` has it; CLAPPER_SPECS names its folder"
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)


@lru_cache(maxsize=1)
def _registry() -> Registry[Any]:
    resource = Resource(contents=specification(), specification=DRAFT202012)
    return Registry().with_resource(URI, resource)


@lru_cache(maxsize=256)
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{URI}{pointer}"}, registry=_registry())


def _complain(what: str, validator: Draft202012Validator, value: object) -> None:
    error = best_match(validator.iter_errors(value))
    assert error is None, f"{what}: {error.json_path}: {error.message}"


def _check_path(recorded: Recorded, parameters: list[dict[str, Any]]) -> None:
    named = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
    template = recorded.template
    assert set(_PARAMETER.findall(template)) == named, f"{template} lacks its names"
    # No template has characters that mean something in a pattern.
    pattern = _PARAMETER.sub(r"(?P<\1>[^/]+)", template)
    match = re.fullmatch(pattern, recorded.path)
    assert match is not None, f"{recorded.path} is no {template}"
    for name, value in match.groupdict().items():
        if name.endswith("_id"):
            _complain(name, _validator("#/components/schemas/SnowflakeType"), value)


def _check_query(recorded: Recorded, parameters: list[dict[str, Any]]) -> None:
    known = {parameter["name"]: parameter["schema"] for parameter in parameters}
    for name, value in recorded.query.items():
        assert name in known, f"{recorded.operation} knows no ?{name}"
        kind = known[name].get("type")
        if kind == "boolean":
            assert value in {"0", "1", "true", "false"}, f"?{name}={value}"
        elif kind == "integer":
            assert value.isdecimal(), f"?{name}={value}"


def _check_body(recorded: Recorded, declared: dict[str, Any] | None) -> None:
    what = recorded.operation
    if declared is None:
        assert recorded.json is None, f"{what} takes no body"
        return
    assert recorded.json is not None or not declared.get("required"), f"{what} needs a body"
    media = "multipart/form-data" if recorded.multipart else "application/json"
    assert media in declared["content"], f"{what} does not take {media}"
    template = recorded.template.replace("~", "~0").replace("/", "~1")
    pointer = f"#/paths/{template}/{recorded.method.lower()}/requestBody/content"
    schema = f"{pointer}/{media.replace('/', '~1')}/schema"
    _complain(what, _validator(schema), _stringified(recorded.json))
    _check_files(recorded)


def _check_files(recorded: Recorded) -> None:
    indices = [stored.index for stored in recorded.files]
    assert len(set(indices)) == len(indices) <= MAX_FILES, f"files {indices}"
    body = recorded.json if isinstance(recorded.json, dict) else {}
    attachments = (body.get("data") or body).get("attachments") or []
    small = {int(a["id"]) for a in attachments if int(a["id"]) < MAX_FILES}
    assert small in (set(indices), set()), f"attachments {small} are not the files {indices}"


def _stringified(body: object) -> object:
    """Write ids as strings where discord.py sends numbers: Discord takes both."""
    if not isinstance(body, dict):
        return body
    body = copy.deepcopy(body)
    if "recipient_id" in body:
        body["recipient_id"] = str(body["recipient_id"])
    for holder in (body, body.get("data") or {}):
        for attachment in holder.get("attachments") or ():
            attachment["id"] = str(attachment["id"])
    return body
