from __future__ import annotations

import pytest

from bot.model import JobState
from storage.jobs.queue.due_jobs import claim
from storage.postgres.statements import for_postgres, is_read


def test_each_parameter_has_one_number_and_the_type_of_its_value() -> None:
    sql = "UPDATE t SET a = :a, b = :b, c = :a WHERE d = :d AND e = :e"
    values = {"a": "x", "b": 1, "d": 2.5, "e": b"y", "unused": 0}
    text, numbered = for_postgres(sql, values)
    assert numbered == ["x", 1, 2.5, b"y"]
    assert text == (
        "UPDATE t SET a = CAST($1 AS TEXT), b = CAST($2 AS BIGINT), c = CAST($1 AS TEXT)"
        " WHERE d = CAST($3 AS DOUBLE PRECISION) AND e = CAST($4 AS BYTEA)"
    )


def test_a_missing_value_is_null_and_has_no_number() -> None:
    sql = "SELECT 1 WHERE CAST(:a AS TEXT) IS NULL AND b = :b"
    assert for_postgres(sql, {"a": None, "b": 1}) == (
        "SELECT 1 WHERE CAST(NULL AS TEXT) IS NULL AND b = CAST($1 AS BIGINT)",
        [1],
    )


@pytest.mark.parametrize(
    "text", ["'it''s :a'", "-- :a\n", "/* :a\n:a */", "x::text", "'a:' || ':b'"]
)
def test_strings_comments_and_casts_are_left_alone(text: str) -> None:
    assert for_postgres(f"SELECT {text}", {}) == (f"SELECT {text}", [])


CLAIM_COLUMNS = (
    *("backend", "client", "narrated", "running", "limit", "now"),
    *("worker", "alive_since", "has_card"),
)


def test_a_claim_locks_its_rows() -> None:
    sql, _ = for_postgres(
        claim((JobState.MERGING,)), dict.fromkeys(CLAIM_COLUMNS) | {"clients_only": 0}
    )
    assert "LIMIT NULL FOR UPDATE SKIP LOCKED) AS merging_jobs" in sql


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("\nSELECT * FROM jobs", True),
        ("WITH held AS (SELECT 1) SELECT * FROM held", True),
        ("WITH held AS (SELECT 1) UPDATE jobs SET epoch = 1", False),
        ("INSERT INTO t SELECT 1", False),
        ("DELETE FROM t", False),
    ],
)
def test_only_statements_that_read_can_be_repeated(sql: str, *, reads: bool) -> None:
    assert is_read(sql) is reads
