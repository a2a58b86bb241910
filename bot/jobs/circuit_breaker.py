"""CircuitBreaker: while a provider refuses every job for reasons of its own, jobs wait in line."""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import TYPE_CHECKING

from bot.errors import ErrorKind
from bot.jobs.unexplained import UnexplainedRefusals
from bot.model import Trouble
from storage.jobs.circuits import HELD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.jobs.service import JobService
    from bot.model import Job
    from storage.jobs.circuits import Circuit, CircuitStore

log = logging.getLogger(__name__)

# Refusals in a row: one may be a restart of the provider's.
_ENOUGH = 3
_FIRST_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 15 * 60.0
# Longer than any create takes: a probe that a crash has cut off is not followed at once.
_PROBE_SECONDS = 5 * 60.0

TROUBLES: Mapping[ErrorKind, Trouble] = {
    ErrorKind.AUTH: Trouble.AUTH,
    ErrorKind.BALANCE: Trouble.BALANCE,
    ErrorKind.SETUP: Trouble.SETUP,
    ErrorKind.TRANSIENT: Trouble.OUTAGE,
}
"""What would refuse any other job too; all else is about the one job."""


class Turn(Enum):
    """What a job in line may do: be submitted, also as the one that tries, wait, or end."""

    GO = auto()
    PROBE = auto()
    WAIT = auto()
    TOO_LONG = auto()


class CircuitBreaker:
    """Opens after refusals in a row, lets one job try after growing pauses, closes on a success.

    Its state is the database's, so that it outlives a restart. While it is open, no job in line is
    claimed between two tries, or for longer than HELD_SECONDS.
    """

    def __init__(
        self, store: CircuitStore, jobs: JobService, *, backend: str, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._backend = backend
        self._clock = clock
        self._trouble: Trouble | None = None
        self._unexplained = UnexplainedRefusals()

    @property
    def trouble(self) -> Trouble | None:
        """Why the line waits, as far as this process has seen; None: it goes on."""
        return self._trouble

    async def resume(self) -> None:
        """Let a job try at once: a restart may come with another key."""
        circuit = await self._store.get(self._backend)
        if circuit is not None and circuit.is_open:
            await self._put_off(0)
            self._trouble = circuit.reason
            log.warning("circuit.still_open backend=%s reason=%s", self._backend, circuit.reason)

    async def admit(self, job: Job) -> Turn:
        """Tell what a claimed job in line may do; after PROBE, one of the answers has to follow."""
        circuit = await self._store.get(self._backend)
        if circuit is None or not circuit.is_open:
            return Turn.GO
        now = self._clock()
        if now - max(circuit.opened_at, job.created_at) >= HELD_SECONDS:
            return Turn.TOO_LONG
        turn = await self._store.probe(self._backend, probe_at=now + _PROBE_SECONDS, now=now)
        return Turn.WAIT if turn is None else Turn.PROBE

    async def refusal(self) -> Circuit | None:
        """Return why, and until when, a job would only wait in line; None: it may be tried."""
        circuit = await self._store.get(self._backend)
        if circuit is None or not circuit.is_open or circuit.probe_at <= self._clock():
            return None
        return circuit

    async def accepted(self) -> None:
        """Note that the provider took a job."""
        self._unexplained.clear()
        circuit = await self._store.get(self._backend)
        if circuit is None:
            return
        if not circuit.is_open:
            await self._store.recount(self._backend)
            return
        await self._store.close(self._backend)
        self._trouble = None
        log.info(
            "circuit.closed backend=%s reason=%s probes=%d seconds=%d",
            *(self._backend, circuit.reason, circuit.probes, self._clock() - circuit.opened_at),
        )
        await self._jobs.publish_queue()

    async def refused(self, trouble: Trouble, *, probing: bool) -> None:
        """Note that the provider refused a job, or left it in doubt, for reasons of its own."""
        if probing:
            await self._missed(trouble)
            return
        circuit = await self._store.refuse(self._backend, trouble)
        if circuit is None or circuit.refusals < _ENOUGH:
            return
        now = self._clock()
        if await self._store.open(self._backend, probe_at=now + _FIRST_PAUSE_SECONDS, now=now):
            self._trouble = trouble
            log.error(
                "circuit.opened backend=%s reason=%s refusals=%d",
                *(self._backend, trouble, circuit.refusals),
            )
            await self._jobs.publish_queue()

    async def blame(self, job: Job) -> Trouble | int:
        """Note a refusal without a known reason, and tell what it is about.

        A number: it is about this job, which was refused so often. A single prompt proves nothing
        against the key; another one that meets the same does.
        """
        circuit = await self._store.get(self._backend)
        is_key = circuit is not None and circuit.is_open and circuit.reason is Trouble.AUTH
        now = self._clock()
        tries = self._unexplained.note(job, now=now)
        return Trouble.AUTH if is_key or self._unexplained.concern_others(job, now=now) else tries

    async def release_probe(self, *, busy: bool) -> None:
        """Give the turn back: the answer was about the one job; `busy`: or said "later"."""
        circuit = await self._store.get(self._backend)
        if circuit is not None:
            await self._put_off(_pause(circuit) if busy else 0)

    async def _missed(self, trouble: Trouble) -> None:
        circuit = await self._store.get(self._backend)
        if circuit is None or await self._put_off(_pause(circuit), trouble) is None:
            return
        self._trouble = trouble
        if circuit.reason is not trouble:
            log.error("circuit.changed backend=%s reason=%s", self._backend, trouble)
            await self._jobs.publish_queue()

    async def _put_off(self, seconds: float, reason: Trouble | None = None) -> Circuit | None:
        return await self._store.put_off(
            self._backend, probe_at=self._clock() + seconds, reason=reason
        )


def _pause(circuit: Circuit) -> float:
    # The exponent is bounded because a day has many probes.
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(circuit.probes, 10), _LONGEST_PAUSE_SECONDS)
