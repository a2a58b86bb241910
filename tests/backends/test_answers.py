from __future__ import annotations

import json
import time

import pytest

from bot.backends.base import RemoteState
from bot.backends.responses import error_kinds, remote_job
from bot.backends.responses.error_text import find_failed_job

SIZE = 4 * 1024 * 1024
QUICK = 1.0
FAILED = json.dumps({"id": "v1", "status": "failed"})


@pytest.mark.parametrize(
    "text",
    [
        "{" * SIZE,
        '{"a":' * 16 + "[" + "[1.5]," * (SIZE // 6),
        '{"a":' * 16 + '"' + "a" * SIZE,
    ],
    ids=["openers", "a long list", "a long text"],
)
def test_a_huge_error_text_is_searched_quickly(text: str) -> None:
    started = time.process_time()
    assert find_failed_job({"message": text}) is None
    assert time.process_time() - started < QUICK


@pytest.mark.parametrize(
    "error",
    [
        [FAILED[:-1] + "[1," * 100] * 20_000,
        [[0]] * 1_000_000,
        [1] * 1_000_000,
        {str(number): "{" for number in range(500_000)},
        "a " * SIZE,
    ],
    ids=["texts", "lists", "numbers", "keys", "words"],
)
def test_an_error_of_many_parts_is_read_quickly(error: object) -> None:
    started = time.process_time()
    assert find_failed_job({"error": error}) is None
    assert len(error_kinds.describe({"error": error})) <= 300
    assert error_kinds.of_create(400, {"error": error}, retry_after=None)
    assert time.process_time() - started < QUICK


def test_a_failed_job_is_found_after_braces_without_one() -> None:
    job = find_failed_job({"message": "{" * 10 + f"a gateway says: {FAILED}"})
    assert job
    assert (job.ref, job.state) == ("v1", RemoteState.FAILED)


def test_a_page_of_too_many_entries_is_read_in_part() -> None:
    started = time.process_time()
    page = remote_job.page_in({"data": [{"id": "v1"}] * 500_000})
    assert time.process_time() - started < QUICK
    assert page
    assert page.jobs
    assert page.unreadable == 500_000 - len(page.jobs)
