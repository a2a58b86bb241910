"""Runs the contract suite, and prints a table with a row per test and a column per backend.

`python -m tests.proofs.contract_report`; its exit code is pytest's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.providers.contract import ENTRIES

SUITE = Path(__file__).parents[1] / "backends" / "contract"


class Results:
    """A pytest plugin that collects the result of each test with each backend."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, bool]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a phase of a test; the test has passed if all of its phases have."""
        test, _, backend = report.nodeid.rpartition("::")[2].removesuffix("]").partition("[")
        if backend:
            row = self.found.setdefault(test.removeprefix("test_"), {})
            row[backend] = row.get(backend, True) and report.passed


def table(found: dict[str, dict[str, bool]]) -> str:
    """Format the table, followed by the reasons why some tests do not apply to a backend."""
    lines = [
        "| Quirk | " + " | ".join(entry.name for entry in ENTRIES) + " |",
        "| --- |" + " --- |" * len(ENTRIES),
    ]
    reasons: dict[str, int] = {}
    for quirk, results in found.items():
        cells: list[str] = []
        for entry in ENTRIES:
            if quirk in entry.lacks:
                reason = f"{entry.name}: {entry.lacks[quirk]}"
                cells.append(f"- [{reasons.setdefault(reason, len(reasons) + 1)}]")
            else:
                cells.append("ok" if results.get(entry.name) else "FAILED")
        lines.append(f"| {quirk.replace('_', ' ')} | " + " | ".join(cells) + " |")
    notes = [f"[{number}] {reason}" for reason, number in reasons.items()]
    return "\n".join([*lines, "", *notes]).rstrip()


def main() -> int:
    """Run the tests, print the table, and return the exit code."""
    results = Results()
    # A module that the suite's contract.py imports is also a pytest plugin, imported here before
    # pytest.
    early = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    options = ["-q", "--no-header", "--no-cov", "-p", "no:cacheprovider", "-W", early]
    code = pytest.main([*options, str(SUITE)], plugins=[results])
    print(f"\n{table(results.found)}")  # noqa: T201 - its only output
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
