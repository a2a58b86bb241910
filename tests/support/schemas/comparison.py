"""Compares two JSON schemas, and finds what the first allows although the second forbids it.

jsonsubschema supports only draft 4, while OpenAPI 3.1 uses draft 2020-12. Only the keywords in
Discord's and OpenAI's documents are supported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from referencing import Resolver

_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
_PYTHON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
# Patterns can't be compared, so they are tried on texts that look like ids.
_PROBES = ("", " ", "0", "7", "00", "07", "-1", "1.0", "1e3", "a1", "1a", " 1", "1" * 19, "9" * 20)


@dataclass(frozen=True, eq=False)
class Schema:
    """A schema, and the resolver of its references."""

    content: Any
    resolver: Resolver[Any]

    def of(self, content: object) -> Schema:
        """Return a schema within this one; `true` and `false` are schemas too."""
        plain = {True: {}, False: {"enum": []}}
        return Schema(plain[content] if isinstance(content, bool) else content, self.resolver)


@dataclass(frozen=True, eq=False)
class Branch:
    """Schemas without alternatives, all of which a value must satisfy."""

    parts: tuple[Schema, ...]

    def said(self, keyword: str) -> list[Any]:
        """Return the parts' values of a keyword."""
        return [part.content[keyword] for part in self.parts if keyword in part.content]

    def within(self, keyword: str) -> list[Schema]:
        """Return the parts' schemas under a keyword."""
        return [part.of(part.content[keyword]) for part in self.parts if keyword in part.content]

    def field(self, name: str) -> list[Schema]:
        """Return the schemas of a field."""
        return [
            part.of(part.content["properties"][name])
            for part in self.parts
            if name in part.content.get("properties", {})
        ]

    @property
    def names(self) -> dict[str, None]:
        """The names of its fields, in their order."""
        return {name: None for properties in self.said("properties") for name in properties}

    @property
    def values(self) -> list[Any] | None:
        """The only values that it allows; None: there is no such list."""
        lists = [*self.said("enum"), *([value] for value in self.said("const"))]
        if not lists:
            return None
        return [value for value in lists[0] if all(value in other for other in lists)]

    @property
    def types(self) -> set[str]:
        """The types that it allows."""
        types = set(_TYPES)
        for said in self.said("type"):
            types &= {said} if isinstance(said, str) else set(said)
        if self.values is not None:
            types &= {_PYTHON_TYPES.get(type(value), "null") for value in self.values}
        return types

    def most(self, keyword: str) -> float | None:
        """Return the lowest of its upper limits."""
        return min(self.said(keyword), default=None)

    def least(self, keyword: str) -> float:
        """Return the highest of its lower limits; lengths start at 0."""
        return max(self.said(keyword), default=float("-inf") if keyword == "minimum" else 0)


def differences(ours: Sequence[Schema], theirs: Sequence[Schema], path: str) -> Iterator[str]:
    """Yield what our schemas allow although theirs do not, and the fields that theirs lack."""
    others = branches(theirs)
    for branch in branches(ours):
        for kind in sorted(branch.types):
            if branch.values is not None:
                for value in branch.values:
                    if not any(_has(other, value) for other in others):
                        yield f"{path}: {value!r} is not allowed there"
                continue
            fitting = [other for other in others if _is_alike(branch, other, kind)]
            found = [list(_within(branch, other, kind, path)) for other in fitting]
            yield from min(found, key=len, default=[f"{path}: there is no such {kind} there"])


def branches(schemas: Sequence[Schema]) -> list[Branch]:
    """Return the alternatives of schemas, all of which a value must satisfy."""
    found = (
        Branch(tuple(part for parts in chosen for part in parts))
        for chosen in product(*(list(_expand(schema)) for schema in schemas))
    )
    return [branch for branch in found if branch.types and branch.values != []]


def _expand(schema: Schema) -> Iterator[tuple[Schema, ...]]:
    """Yield each alternative of a schema, as parts that must all be satisfied."""
    content = schema.content
    choices: list[list[tuple[Schema, ...]]] = [[(schema,)]]
    if "$ref" in content:
        found = schema.resolver.lookup(content["$ref"])
        choices.append(list(_expand(Schema(found.contents, found.resolver))))
    choices += [list(_expand(schema.of(part))) for part in content.get("allOf", ())]
    for keyword in ("oneOf", "anyOf"):
        if keyword in content:
            parts = map(schema.of, content[keyword])
            choices.append([parts for part in parts for parts in _expand(part)])
    if "if" in content:
        then = (schema.of(content["if"]), schema.of(content.get("then", {})))
        otherwise = (schema.of(content.get("else", {})),)
        choices.append([parts for path in (then, otherwise) for parts in _all(path)])
    for chosen in product(*choices):
        yield tuple(part for parts in chosen for part in parts)


def _all(schemas: Iterable[Schema]) -> Iterator[tuple[Schema, ...]]:
    for chosen in product(*(list(_expand(schema)) for schema in schemas)):
        yield tuple(part for parts in chosen for part in parts)


def _has(branch: Branch, value: Any) -> bool:
    """Return whether a value other than an object or a list is allowed."""
    if _PYTHON_TYPES.get(type(value), "null") not in branch.types:
        return False
    if branch.values is not None:
        return value in branch.values
    length = len(value) if isinstance(value, str) else value or 0
    upper, lower = ("maxLength", "minLength") if isinstance(value, str) else ("maximum", "minimum")
    most = branch.most(upper)
    return branch.least(lower) <= length and (most is None or length <= most)


def _is_alike(ours: Branch, theirs: Branch, kind: str) -> bool:
    """Return whether two alternatives have the same type, and the same `type` field."""
    if kind not in theirs.types and not (kind == "integer" and "number" in theirs.types):
        return False
    mine, other = _types_named(ours), _types_named(theirs)
    return not mine or not other or all(value in other for value in mine)


def _types_named(branch: Branch) -> list[Any]:
    found = branches(branch.field("type"))
    return [value for alternative in found for value in alternative.values or ()]


def _within(ours: Branch, theirs: Branch, kind: str, path: str) -> Iterator[str]:
    yield from _limits(ours, theirs, kind, path)
    if kind == "array":
        yield from _items(ours, theirs, path)
    if kind == "object":
        yield from _fields(ours, theirs, path)


def _limits(ours: Branch, theirs: Branch, kind: str, path: str) -> Iterator[str]:
    if theirs.values is not None:
        yield f"{path}: it is one of {theirs.values} there"
    ends = {"array": "Items", "string": "Length", "object": "Properties"}.get(kind, "imum")
    upper, lower = f"max{ends}", f"min{ends}"
    limit, most = theirs.most(upper), ours.most(upper)
    if limit is not None and (most is None or most > limit):
        yield f"{path}: {upper} is {most}, there {limit}"
    if ours.least(lower) < theirs.least(lower):
        yield f"{path}: {lower} is {ours.least(lower)}, there {theirs.least(lower)}"
    if kind == "string":
        fitting = [probe for probe in _PROBES if _matches(ours, probe)]
        if not all(_matches(theirs, probe) for probe in fitting):
            yield f"{path}: the pattern there is stricter"


def _matches(branch: Branch, text: str) -> bool:
    return all(re.search(pattern, text) for pattern in branch.said("pattern"))


def _items(ours: Branch, theirs: Branch, path: str) -> Iterator[str]:
    if any(theirs.said("uniqueItems")) and not any(ours.said("uniqueItems")):
        yield f"{path}: the items are unique there"
    if ours.most("maxItems") != 0 and theirs.said("items"):
        yield from differences(ours.within("items"), theirs.within("items"), f"{path}[]")


def _fields(ours: Branch, theirs: Branch, path: str) -> Iterator[str]:
    required = {name for names in ours.said("required") for name in names}
    needed = {name for names in theirs.said("required") for name in names}
    yield from (f"{path}.{name}: it is required there" for name in sorted(needed - required))
    for name in ours.names:
        if field := theirs.field(name):
            yield from differences(ours.field(name), field, f"{path}.{name}")
        else:
            yield f"{path}.{name}: there is no such field there"
    if not ours.said("additionalProperties"):
        yield f"{path}: any field may be added"
    elif False not in ours.said("additionalProperties"):
        added = ours.within("additionalProperties")
        yield from differences(added, theirs.within("additionalProperties"), f"{path}.*")
