"""The names that are visible outside the process: log events, metrics, API errors, derived keys.

They are found in the source by the functions that are called with them, in any module.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[3]
_PACKAGES = ("bot", "cogs", "storage")
_LEVELS = frozenset({"debug", "info", "warning", "error", "exception"})
_EVENT = re.compile(r"[a-z]+(?:\.[a-z_]+)+")
_API_KEY = re.compile(r"(?:api|audio|caps|error|prompt|reply|speech)\.[a-z_]+")


@cache
def _trees() -> tuple[ast.Module, ...]:
    files = [path for package in _PACKAGES for path in sorted((_ROOT / package).rglob("*.py"))]
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in files)


def _calls() -> Iterator[ast.Call]:
    for tree in _trees():
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _called(call: ast.Call) -> str:
    """Return the last part of the called function's name."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _texts(nodes: list[ast.expr]) -> list[str]:
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def log_events() -> list[str]:
    """List the log's event names."""
    said = (text for call in _calls() if _called(call) in _LEVELS for text in _texts(call.args[:1]))
    return sorted({match[0] for text in said if (match := _EVENT.match(text))})


def purposes() -> list[str]:
    """List the purposes for which keys are derived."""
    return sorted(
        {text for call in _calls() if _called(call) == "derive_key" for text in _texts(call.args)}
    )


def error_keys() -> list[str]:
    """List the keys of API errors."""
    said = (
        node.value
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return sorted({text for text in said if _API_KEY.fullmatch(text)})


def migrations() -> list[str]:
    """List the migration scripts in order."""
    return sorted(path.name for path in _ROOT.joinpath("storage/migrations").glob("[0-9]*.sql"))
