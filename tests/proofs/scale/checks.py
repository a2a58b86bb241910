"""Checks that stop the proof at what is not so."""

from __future__ import annotations

from typing import NoReturn


def check(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise AssertionError unless `what` holds."""
    if not holds:
        fail(what)


def fail(what: str) -> NoReturn:
    """Raise AssertionError, because `what` does not hold."""
    raise AssertionError(f"not so: {what}")
