"""Defines the fixtures that most tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.schemas import published

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

collect_ignore = [] if published.are_here() else ["repository/test_published.py"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bench(tmp_path: Path, clock: Clock) -> AsyncGenerator[Bench]:
    async with open_bench(tmp_path, clock) as opened:
        yield opened
