"""Rewrites the statements of the stores, which have named parameters, for PostgreSQL."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Strings, comments and `::` are skipped.
_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|::|:(?P<name>[a-z_][a-z0-9_]*)", re.DOTALL)
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE)\b")
# SQLite runs one statement at a time, and has no row locks.
_ROW_LOCK = "/* FOR UPDATE SKIP LOCKED */"

# PostgreSQL would otherwise guess a type from the first use of a parameter, such as an integer of
# four bytes from a comparison with 0.
_TYPES = ((str, "TEXT"), (int, "BIGINT"), (float, "DOUBLE PRECISION"), (bytes, "BYTEA"))


def for_postgres(sql: str, params: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """Return a statement with numbered parameters, and the values of these parameters."""
    names = _names(sql)
    types = tuple(_type_of(params[name]) for name in names)
    values = [params[name] for name, kind in zip(names, types, strict=True) if kind]
    return _numbered(sql, types), values


@lru_cache(maxsize=1024)
def is_read(sql: str) -> bool:
    """Tell whether a statement only reads, so that it can be repeated."""
    return sql.lstrip().startswith(("SELECT", "WITH")) and not _WRITES.search(sql)


def _type_of(value: object) -> str:
    """Return the type of a value, or an empty text for None."""
    if value is None:
        return ""
    return next(name for kind, name in _TYPES if isinstance(value, kind))


@lru_cache(maxsize=1024)
def _names(sql: str) -> tuple[str, ...]:
    found = (match["name"] for match in _TOKEN.finditer(sql))
    return tuple(dict.fromkeys(name for name in found if name))


@lru_cache(maxsize=2048)
def _numbered(sql: str, types: tuple[str, ...]) -> str:
    placeholders = dict(zip(_names(sql), _placeholders(types), strict=True))

    def replaced(match: re.Match[str]) -> str:
        return placeholders[match["name"]] if match["name"] else match[0]

    return _TOKEN.sub(replaced, sql).replace(_ROW_LOCK, _ROW_LOCK.strip("/* "))


def _placeholders(types: tuple[str, ...]) -> Iterator[str]:
    number = 0
    for kind in types:
        number += bool(kind)
        yield f"CAST(${number} AS {kind})" if kind else "NULL"
