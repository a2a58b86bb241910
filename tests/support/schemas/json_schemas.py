"""Checks values against the JSON schemas in `documents`, which describe other services' APIs."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import relevance
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Hashable

    from jsonschema import ValidationError

FOLDER = Path(__file__).with_name("documents")
# The fields that distinguish the alternatives of Discord's objects.
_KINDS = (["type"], ["style"])
_QUOTED = 150
# Ids inside strings. Most values differ from an earlier one in these alone.
_ID = re.compile(r"[0-9a-f]{32}|(?<![\s\[\d-])\d{10,}")


def complain(what: str, reference: str, value: object) -> None:
    """Check a value; `reference` names a schema, such as "videos.json#/$defs/Video"."""
    if _passes(reference, _ID.sub(_same_length, json.dumps(value, sort_keys=True))):
        return
    errors = list(validator(reference).iter_errors(value))
    if errors:
        cause = _cause(max(errors, key=relevance))
        raise AssertionError(f"{what}: {cause.json_path}: {_shortened(cause.message)}")


@lru_cache(maxsize=4096)
def _passes(reference: str, value: str) -> bool:
    return validator(reference).is_valid(json.loads(value))


def _same_length(found: re.Match[str]) -> str:
    return "1" * len(found[0])


@lru_cache(maxsize=256)
def validator(reference: str) -> Draft202012Validator:
    """Return the validator of a schema."""
    return Draft202012Validator({"$ref": f"{FOLDER.as_uri()}/{reference}"}, registry=registry())


@lru_cache(maxsize=8)
def load(name: str) -> Any:
    """Return the content of a schema file."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def registry() -> Registry[Any]:
    """Return all schema files, each under its own URI."""
    return Registry().with_resources(
        (path.as_uri(), Resource(contents=json.loads(path.read_text()), specification=DRAFT202012))
        for path in FOLDER.rglob("*.json")
    )


def pointer(*parts: str) -> str:
    """Write the path to a part of a file as a JSON pointer."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)


def _shortened(message: str) -> str:
    """Shorten a message that quotes a long value, by leaving out its middle."""
    return message if len(message) < 2 * _QUOTED else f"{message[:_QUOTED]} … {message[-_QUOTED:]}"


def _cause(error: ValidationError) -> ValidationError:
    """Return the errors of the alternative that was meant, if it can be identified."""
    alternatives: dict[Hashable, list[ValidationError]] = {}
    for inner in error.context or ():
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    meant = [errors for errors in alternatives.values() if not any(map(_is_other_kind, errors))]
    return _cause(max(meant[0], key=relevance)) if len(meant) == 1 else error


def _is_other_kind(error: ValidationError) -> bool:
    return error.validator in {"const", "enum"} and list(error.relative_path) in _KINDS
