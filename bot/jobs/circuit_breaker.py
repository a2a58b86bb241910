"""CircuitBreaker: pauses the queue while a provider refuses every job.

The libraries `pybreaker` and `aiobreaker` reject calls while a circuit is open. Here, jobs wait in
the queue instead, and the state has to survive a restart, so it is stored in the database.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import TYPE_CHECKING

from bot.errors import ErrorKind, Trouble
from bot.jobs.unexplained import UnexplainedRefusals
from storage.jobs.circuits import MAX_HELD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.jobs.service import JobService
    from bot.model import Job
    from bot.pacing import WatchedClock
    from storage.jobs.circuits import Circuit, CircuitStore

log = logging.getLogger(__name__)

# The number of consecutive refusals that open the circuit. Fewer may only mean that the provider is
# restarting.
_OPEN_AFTER = 3
_FIRST_PAUSE_SECONDS = 30.0
_MAX_PAUSE_SECONDS = 15 * 60.0
# If the bot crashes during a probe, the next probe follows after this time. No create request takes
# this long.
_PROBE_SECONDS = 5 * 60.0

MAX_PROBE_PAUSE_SECONDS = _MAX_PAUSE_SECONDS
"""The longest time between two probes."""

TROUBLES: Mapping[ErrorKind, Trouble] = {
    ErrorKind.AUTH: Trouble.AUTH,
    ErrorKind.BALANCE: Trouble.BALANCE,
    ErrorKind.SETUP: Trouble.SETUP,
    ErrorKind.TRANSIENT: Trouble.OUTAGE,
}
"""The kinds of errors that affect every job. All other kinds concern only one job."""


class SubmitDecision(Enum):
    """The decision about a queued job: submit it, submit it as the probe, hold it, or fail it."""

    SUBMIT = auto()
    PROBE = auto()
    WAIT = auto()
    FAIL = auto()


class CircuitBreaker:
    """Opens after consecutive refusals, and closes after a success.

    While it is open, one queued job at a time is submitted as a probe. All others wait, and fail
    after `MAX_HELD_SECONDS`. The state is stored in the database, so it survives a restart.
    """

    def __init__(
        self, store: CircuitStore, jobs: JobService, *, backend: str, clock: WatchedClock
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._backend = backend
        self._clock = clock
        self._trouble: Trouble | None = None
        self._unexplained = UnexplainedRefusals()

    @property
    def trouble(self) -> Trouble | None:
        """The reason why the queue is paused, or None if it is not paused.

        If another process has changed that, it is known only after `refresh`.
        """
        return self._trouble

    async def refresh(self) -> Trouble | None:
        """Read from the database why the queue is paused, and return it."""
        circuit = await self._store.get(self._backend)
        self._trouble = circuit.reason if circuit is not None and circuit.is_open else None
        return self._trouble

    async def resume(self) -> None:
        """If the circuit is open, make a probe due now. The operator may have fixed the cause."""
        circuit = await self._store.get(self._backend)
        if circuit is not None and circuit.is_open:
            await self._postpone_probe(0)
            self._trouble = circuit.reason
            log.warning("circuit.still_open backend=%s reason=%s", self._backend, circuit.reason)

    async def admit(self, job: Job) -> SubmitDecision:
        """Decide what to do with a queued job that was claimed.

        If the result is `PROBE`, the caller must report the outcome by calling `accepted`,
        `refused` or `release_probe`.
        """
        circuit = await self._store.get(self._backend)
        if circuit is None or not circuit.is_open:
            return SubmitDecision.SUBMIT
        now = self._clock()
        has_waited = now - max(circuit.opened_at, job.created_at) >= MAX_HELD_SECONDS
        if has_waited and not self._clock.is_unsettled:
            return SubmitDecision.FAIL
        claimed = await self._store.probe(self._backend, probe_at=now + _PROBE_SECONDS, now=now)
        return SubmitDecision.WAIT if claimed is None else SubmitDecision.PROBE

    async def paused_circuit(self) -> Circuit | None:
        """Return the circuit if new jobs must wait, or None if new jobs can be submitted now."""
        circuit = await self._store.get(self._backend)
        if circuit is None or not circuit.is_open or circuit.probe_at <= self._clock():
            return None
        return circuit

    async def accepted(self) -> None:
        """Record that the provider accepted a job. If the circuit is open, it is closed."""
        self._unexplained.clear()
        circuit = await self._store.get(self._backend)
        if circuit is None:
            return
        if not circuit.is_open:
            await self._store.reset_refusals(self._backend)
            return
        await self._store.close(self._backend)
        self._trouble = None
        log.info(
            "circuit.closed backend=%s reason=%s probes=%d seconds=%d",
            self._backend,
            circuit.reason,
            circuit.probes,
            self._clock() - circuit.opened_at,
        )
        await self._jobs.publish_queue()

    async def refused(self, trouble: Trouble, *, probing: bool) -> None:
        """Record a refusal, or a missing response, whose reason affects every job."""
        if probing:
            await self._probe_refused(trouble)
            return
        circuit = await self._store.refuse(self._backend, trouble)
        if circuit is None or circuit.refusals < _OPEN_AFTER:
            return
        now = self._clock()
        if await self._store.open(self._backend, probe_at=now + _FIRST_PAUSE_SECONDS, now=now):
            self._trouble = trouble
            log.error(
                "circuit.opened backend=%s reason=%s refusals=%d",
                self._backend,
                trouble,
                circuit.refusals,
            )
            await self._jobs.publish_queue()

    async def attribute_refusal(self, job: Job) -> Trouble | int:
        """Record a refusal without a known reason, and decide whether the API key is to blame.

        The key is to blame once jobs with two different prompts have been refused. In that case, a
        Trouble is returned. Otherwise, the number of times that this job was refused is returned.
        """
        circuit = await self._store.get(self._backend)
        is_key = circuit is not None and circuit.is_open and circuit.reason is Trouble.AUTH
        now = self._clock()
        tries = self._unexplained.record(job, now=now)
        return Trouble.AUTH if is_key or self._unexplained.concern_others(job, now=now) else tries

    async def release_probe(self, *, busy: bool) -> None:
        """End a probe whose outcome concerns only its own job.

        If `busy`, the next probe is delayed.
        """
        circuit = await self._store.get(self._backend)
        if circuit is not None:
            await self._postpone_probe(_probe_pause(circuit) if busy else 0)

    async def _probe_refused(self, trouble: Trouble) -> None:
        circuit = await self._store.get(self._backend)
        if circuit is None or await self._postpone_probe(_probe_pause(circuit), trouble) is None:
            return
        self._trouble = trouble
        if circuit.reason is not trouble:
            log.error("circuit.changed backend=%s reason=%s", self._backend, trouble)
            await self._jobs.publish_queue()

    async def _postpone_probe(
        self, seconds: float, reason: Trouble | None = None
    ) -> Circuit | None:
        return await self._store.schedule_probe(
            self._backend, probe_at=self._clock() + seconds, reason=reason
        )


def _probe_pause(circuit: Circuit) -> float:
    # The exponent is bounded, because a long outage has so many probes that the power would
    # overflow.
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(circuit.probes, 10), _MAX_PAUSE_SECONDS)
