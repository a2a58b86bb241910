from __future__ import annotations

import ast
import re
import tokenize
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("bot", "cogs", "storage")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
RELATIVE_CLAUSE = re.compile(r"(?:What|How|Where|Who|Whose)\b")
PRONOUN = re.compile(r"\b(?:whoever|nobody|somebody|anybody)\b", re.IGNORECASE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_docstring_begins_with_a_verb_or_a_noun(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            assert not RELATIVE_CLAUSE.match(ast.get_docstring(node) or "")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_role_is_named_where_a_pronoun_would_hide_it(path: Path) -> None:
    with tokenize.open(path) as file:
        found = [line.rstrip() for line in file if PRONOUN.search(line)]
    assert found == []


def test_a_public_class_name_means_one_thing() -> None:
    names = Counter(
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
