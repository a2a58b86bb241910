"""The SQL statements of the stores, which are run on both databases."""

from __future__ import annotations

import ast
import importlib
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import storage
from storage.sqlite.database import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from types import ModuleType

    from storage.database import Database

ROOT = Path(storage.__file__).parent
VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ")


def modules() -> Iterator[tuple[Path, ModuleType]]:
    for path in sorted(ROOT.rglob("*.py")):
        is_of_one_database = path.parent.name in {"sqlite", "postgres"}
        if path.name not in {"__init__.py", "snapshot.py"} and not is_of_one_database:
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            yield path, importlib.import_module(".".join(parts))


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module, except the parts of f-strings."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not isinstance(node, ast.JoinedStr):
            yield from literals(node)


def statements() -> set[str]:
    texts: set[str] = set()
    for path, module in modules():
        texts |= {value for value in vars(module).values() if isinstance(value, str)}
        texts |= set(literals(ast.parse(path.read_text(encoding="utf-8"))))
    return {text for text in texts if text.lstrip().startswith(VERBS)}


@asynccontextmanager
async def recorded(database: Database) -> AsyncGenerator[list[str]]:
    """Collect the statements that a database runs on SQLite."""
    statements: list[str] = []
    assert isinstance(database, SqliteDatabase)
    connection = database._statements._connection  # noqa: SLF001 - SQLite's own trace
    await connection.set_trace_callback(statements.append)
    yield statements
    await connection.set_trace_callback(None)  # pyright: ignore[reportArgumentType] - ends it
