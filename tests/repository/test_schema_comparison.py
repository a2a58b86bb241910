"""The comparison finds what another schema forbids, keyword by keyword."""

from __future__ import annotations

from typing import Any

import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.support.schemas.comparison import Schema, differences

OURS: dict[str, Any] = {
    "type": "object",
    "required": ["type", "name"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": 2},
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "size": {"enum": [1, 2]},
        "tags": {"type": "array", "maxItems": 5, "uniqueItems": True, "items": {"type": "string"}},
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "names": {"type": "object", "maxProperties": 2, "additionalProperties": {"type": "string"}},
    },
}


def compare(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    both = Resource(contents={"ours": ours, "theirs": theirs}, specification=DRAFT202012)
    resolver = Registry[Any]().with_resource("urn:both", both).resolver("urn:both")
    return list(differences([Schema(ours, resolver)], [Schema(theirs, resolver)], "it"))


def test_a_schema_is_as_strict_as_itself() -> None:
    assert compare(OURS, OURS) == []
    assert compare({"oneOf": [OURS, {"type": "null"}]}, {"anyOf": [{"type": "null"}, OURS]}) == []


@pytest.mark.parametrize(
    ("field", "change", "difference"),
    [
        ("name", {"maxLength": 79}, "it.name: maxLength is 80, there 79"),
        ("name", {"minLength": 2}, "it.name: minLength is 1, there 2"),
        ("name", {"type": "integer"}, "it.name: there is no such string there"),
        ("size", {"enum": [1]}, "it.size: 2 is not allowed there"),
        ("tags", {"maxItems": 4}, "it.tags: maxItems is 5, there 4"),
        ("tags", {"items": {"type": "integer"}}, "it.tags[]: there is no such string there"),
        ("id", {"pattern": "^[1-9]+$"}, "it.id: the pattern there is stricter"),
        ("names", {"maxProperties": 1}, "it.names: maxProperties is 2, there 1"),
        ("names", {"additionalProperties": {"enum": ["a"]}}, "it.names.*: it is one of ['a']"),
        ("type", {"const": 3}, "it: there is no such object there"),
    ],
)
def test_what_the_other_schema_forbids_is_found(
    field: str, change: dict[str, Any], difference: str
) -> None:
    properties = OURS["properties"] | {field: OURS["properties"][field] | change}
    [found] = compare(OURS, OURS | {"properties": properties})
    assert found.startswith(difference)


def test_fields_that_the_other_schema_lacks_or_wants_are_found() -> None:
    fewer = {name: schema for name, schema in OURS["properties"].items() if name != "id"}
    theirs = OURS | {"properties": fewer}
    assert compare(OURS, theirs) == ["it.id: there is no such field there"]
    wanting = OURS | {"required": ["type", "name", "size"]}
    assert compare(OURS, wanting) == ["it.size: it is required there"]


@pytest.mark.parametrize(
    ("schema", "difference"),
    [
        ({"type": "object"}, "it: any field may be added"),
        (OURS | {"additionalProperties": True}, "it.*: there is no such string there"),
    ],
)
def test_a_schema_that_takes_any_field_is_found(schema: dict[str, Any], difference: str) -> None:
    assert difference in compare(schema, OURS)


def test_of_two_alternatives_the_one_of_the_same_type_is_compared() -> None:
    other = OURS | {"properties": {"type": {"const": 3}}, "required": ["type", "colour"]}
    assert compare(OURS, {"oneOf": [other, OURS]}) == []
    assert compare(other, {"oneOf": [OURS]}) == ["it: there is no such object there"]


def test_both_ways_of_a_condition_are_compared() -> None:
    name = {"properties": {"name": {"maxLength": 40}}}
    ours = OURS | {"if": {"required": ["size"]}, "then": name, "else": {}}
    assert compare(ours, OURS) == []
    theirs = OURS | {"properties": OURS["properties"] | {"name": {"maxLength": 40}}}
    assert compare(ours, theirs) == ["it.name: maxLength is 80, there 40"]
