"""The API documents that Discord and OpenAI publish, if they are stored beside the repository."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support.schemas.comparison import Schema
from tests.support.schemas.json_schemas import pointer

_BESIDE = Path(__file__).parents[4] / "shared" / "specs"
FOLDER = Path(os.environ.get("CLAPPER_SPECS") or _BESIDE)
DISCORD = "discord_openapi.json"
OPENAI = "openai_videos_openapi.json"


def are_here() -> bool:
    """Return whether both documents exist."""
    return all((FOLDER / name).is_file() for name in (DISCORD, OPENAI))


@cache
def document(name: str) -> Any:
    """Return a document."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def schema(name: str, *parts: str) -> Schema:
    """Return a schema of a document, by the path to it."""
    found = _registry(name).resolver(f"urn:{name}").lookup(f"#{pointer(*parts)}")
    return Schema(found.contents, found.resolver)


def allows(name: str, parts: tuple[str, ...], value: object) -> bool:
    """Return whether a schema of a document allows a value."""
    return _validator(name, parts).is_valid(value)


@cache
def _validator(name: str, parts: tuple[str, ...]) -> Draft202012Validator:
    reference = {"$ref": f"urn:{name}#{pointer(*parts)}"}
    return Draft202012Validator(reference, registry=_registry(name))


@cache
def _registry(name: str) -> Registry[Any]:
    resource = Resource(contents=document(name), specification=DRAFT202012)
    return Registry().with_resource(f"urn:{name}", resource)
