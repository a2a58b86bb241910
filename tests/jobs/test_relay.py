"""Changes to jobs that other processes report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.jobs.changes.relay import ChangeRelay

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

NESTED = "[" * 5000


@pytest.mark.parametrize("text", ["", "5", "[1]", '["a", "no state", false]', NESTED])
async def test_a_text_of_a_foreign_program_does_not_end_the_exchange(
    bench: Bench, text: str
) -> None:
    job = await bench.submit()
    known = len(bench.changes)
    relay = ChangeRelay(bench.bus, bench.store, send=list[str]().append)
    await relay.receive(text)
    assert len(bench.changes) == known
    await relay.receive(f'["{job.id}", null, false]')
    assert len(bench.changes) == known + 1
