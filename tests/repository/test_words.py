from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "cogs", "storage")
MODULES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
}
TESTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "tests").rglob("*.py")
}
RELATIVE_CLAUSE = re.compile(r"(?:What|How|Where|Who|Whose)\b")
PRONOUN = re.compile(r"\b(?:whoever|nobody|somebody|anybody)\b", re.IGNORECASE)


def test_a_docstring_begins_with_a_verb_or_a_noun() -> None:
    assert [
        (path, docstring)
        for path, text in MODULES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if RELATIVE_CLAUSE.match(docstring := ast.get_docstring(node) or "")
    ] == []


def test_a_role_is_named_where_a_pronoun_would_hide_it() -> None:
    assert [
        (path, line)
        for path, text in MODULES.items()
        for line in text.splitlines()
        if PRONOUN.search(line)
    ] == []


def test_a_public_class_name_means_one_thing() -> None:
    names = Counter(
        node.name
        for text in MODULES.values()
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_no_test_module_imports_another() -> None:
    imports = re.compile(r"(?m)^\s*from tests\.(?:\w+\.)*test_\w+ import")
    assert [path for path, text in TESTS.items() if imports.search(text)] == []


def test_no_module_of_the_tests_is_longer_than_600_lines() -> None:
    assert [path for path, text in TESTS.items() if len(text.splitlines()) > 600] == []
