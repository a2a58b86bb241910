"""The statements use only SQL that PostgreSQL understands too.

`->>`, `json_each`, `instr` and `rowid` are defined in the schema of PostgreSQL.
"""

from __future__ import annotations

import re

import pytest

from tests.support.statements import statements

FORBIDDEN = {
    "a comparison with IS": r"\bIS\s+(?:NOT\s+)?(?!NULL\b|NOT\b)",
    "a parameter without a type": r":\w+\s+IS\b",
    "a sum of two parameters without a type": r":\w+\s*[-+*/%]\s*:",
    "a number as a truth value": r"\bNOT\s+:",
    "a conflict without its columns": r"\bON CONFLICT DO UPDATE\b",
    "a column of either row of a conflict": r"\bON CONFLICT\b[^;]*?\b(\w+) = (?:CASE WHEN )?\1\b",
    "a function of SQLite": r"\b(?:ifnull|random|strftime|unixepoch|julianday|printf|fold)\s*\(",
    "a statement of SQLite": r"\b(?:INSERT OR|REPLACE INTO|GLOB|sqlite_\w+)\b",
}


def arguments(text: str) -> int:
    """Count the arguments of the call whose parenthesis the text follows."""
    depth, commas = 1, 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        commas += sign == "," and depth == 1
        if depth == 0:
            break
    return commas + 1


def faults(statement: str) -> set[str]:
    sql = re.sub(r"--[^\n]*", "", statement)
    found = {name for name, pattern in FORBIDDEN.items() if re.search(pattern, sql)}
    calls = re.finditer(r"\b(?:max|min)\s*\(", sql)
    if any(arguments(sql[call.end() :]) > 1 for call in calls):
        found.add("max or min of several values")
    return found


def test_no_statement_needs_sqlite() -> None:
    every = statements()
    assert len(every) > 100
    assert {sql: found for sql in every if (found := faults(sql))} == {}


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE jobs SET progress = max(coalesce(:a, b), c)", "max or min of several values"),
        ("SELECT sum(min(waiting, round - (1)))", "max or min of several values"),
        ("SELECT 1 FROM jobs WHERE model IS :model", "a comparison with IS"),
        ("SELECT 1 FROM jobs WHERE hold IS NOT 'backend'", "a comparison with IS"),
        ("SELECT 1 FROM jobs WHERE (:client IS NULL OR 1)", "a parameter without a type"),
        ("DELETE FROM t WHERE at < :now - :age", "a sum of two parameters without a type"),
        ("SELECT 1 FROM jobs WHERE NOT :clients_only", "a number as a truth value"),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1",
            "a conflict without its columns",
        ),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1, n = n + 1",
            "a column of either row of a conflict",
        ),
        ("UPDATE jobs SET next_at = :now + abs(random() % 30)", "a function of SQLite"),
        ("INSERT OR IGNORE INTO t VALUES (1)", "a statement of SQLite"),
    ],
)
def test_what_only_sqlite_understands_is_found(statement: str, fault: str) -> None:
    assert faults(statement) == {fault}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT max(coalesce(a, b)), min(c) FROM t WHERE d IS NULL AND e IS NOT NULL",
        "SELECT 1 FROM t WHERE CAST(:a AS TEXT) IS NULL AND b > :since",
        "INSERT INTO t VALUES (:a) ON CONFLICT (a) DO UPDATE SET n = t.n + 1, b = :b",
        "INSERT INTO t VALUES (:a) ON CONFLICT DO NOTHING -- random() is SQLite's",
    ],
)
def test_what_both_understand_is_allowed(statement: str) -> None:
    assert faults(statement) == set()
