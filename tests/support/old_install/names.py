"""The names that reach past the process: those in logs and metrics, and those of errors and keys.

They are read from the source as it is, by what is called with them and not by where it stands.
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
    """Return the last part of the name of what is called."""
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
    """List the events that the log tells of."""
    said = (text for call in _calls() if _called(call) in _LEVELS for text in _texts(call.args[:1]))
    return sorted({match[0] for text in said if (match := _EVENT.match(text))})


def purposes() -> list[str]:
    """List what keys are derived for."""
    return sorted(
        {text for call in _calls() if _called(call) == "derive_key" for text in _texts(call.args)}
    )


def error_keys() -> list[str]:
    """List the keys in the source that an API error may have."""
    said = (
        node.value
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return sorted({text for text in said if _API_KEY.fullmatch(text)})


def migrations() -> list[str]:
    """List the scripts that bring a database up to date, in their order."""
    return sorted(path.name for path in _ROOT.joinpath("storage").rglob("[0-9]*.sql"))
