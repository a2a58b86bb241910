"""Changes to jobs that other processes report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import Trouble
from bot.jobs.changes.relay import ChangeRelay
from bot.jobs.circuit_breaker import CircuitBreaker
from bot.model import JobState

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

NESTED = "[" * 5000


def relay_of(bench: Bench) -> ChangeRelay:
    return ChangeRelay(bench.bus, bench.store, bench.circuit, send=list[str]().append)


@pytest.mark.parametrize("text", ["", "5", "[1]", '["a", "no state", false]', NESTED])
async def test_a_text_of_a_foreign_program_does_not_end_the_exchange(
    bench: Bench, text: str
) -> None:
    job = await bench.submit()
    known = len(bench.changes)
    relay = relay_of(bench)
    await relay.receive(text)
    assert len(bench.changes) == known
    await relay.receive(f'["{job.id}", null, false]')
    assert len(bench.changes) == known + 1


async def test_the_trouble_of_another_process_is_known_when_its_change_is_published(
    bench: Bench,
) -> None:
    other = CircuitBreaker(
        bench.circuits, bench.jobs, backend=bench.backend.name, clock=bench.clock
    )
    job, relay = await bench.submit(), relay_of(bench)
    for _ in range(3):
        await other.refused(Trouble.BALANCE, probing=False)
    troubles = list[Trouble | None]()
    bench.bus.subscribe(lambda _event: troubles.append(bench.circuit.trouble))
    await relay.receive(f'["{job.id}", null, true]')
    assert troubles == [Trouble.BALANCE]
    await other.accepted()
    await relay.receive(f'["{job.id}", null, true]')
    assert troubles[-1] is None


async def test_a_job_that_changes_while_the_circuit_is_read_is_published_as_it_is_now(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, relay, refresh = await bench.submit(), relay_of(bench), bench.circuit.refresh

    async def cancel_and_refresh() -> Trouble | None:
        await bench.jobs.cancel(job.id)
        return await refresh()

    monkeypatch.setattr(bench.circuit, "refresh", cancel_and_refresh)
    await relay.receive(f'["{job.id}", null, true]')
    assert bench.changes[-1].job.state is JobState.CANCELLED
