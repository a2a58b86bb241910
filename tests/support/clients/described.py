"""Checks the API's requests and responses against its OpenAPI document."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from yarl import URL

_URI = "urn:openapi"


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    path = Path(__file__).parents[3] / "bot" / "web" / "api" / "openapi.json"
    return json.loads(path.read_text(encoding="utf-8"))


def check(method: str, path: str, status: int, answer: object) -> None:
    """Check a request and its answer; AssertionError: the document does not describe them."""
    url = URL(path)
    operation = document()["paths"][url.path][method.lower()]
    named = {part["name"] for part in operation.get("parameters", ()) if part["in"] == "query"}
    if status < 400:
        assert set(url.query) <= named, f"{path} has a parameter that is not described"
    described = operation["responses"].get(str(status))
    assert described is not None, f"{method} {path} answers {status}, which is not described"
    name = described.get("$ref", "").rpartition("/")[2]
    described = document()["components"]["responses"][name] if name else described
    validate(described["content"]["application/json"]["schema"], answer)


def check_message(message: object) -> None:
    """Check a WebSocket message; AssertionError: the document does not describe it."""
    kinds = [
        {"$ref": f"#/components/schemas/{name}"} for name in ("Progress", "ListChange", "Refusal")
    ]
    validate({"oneOf": kinds}, message)


def validate(schema: dict[str, Any], instance: object) -> None:
    """Validate `instance` against `schema`, which may refer to the document's components."""
    registry = Registry().with_resource(
        _URI, Resource(contents=document(), specification=DRAFT202012)
    )
    whole = {"$id": _URI + ":here", "$ref": "#/here", "here": _absolute(schema)}
    errors = list(Draft202012Validator(whole, registry=registry).iter_errors(instance))
    assert not errors, errors[0].message


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _URI + value if key == "$ref" else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(part) for part in schema] if isinstance(schema, list) else schema
