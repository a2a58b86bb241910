"""ClockWatcher: notices when the machine's clock is changed, and shifts the times of open jobs."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bot.jobs.circuit_breaker import MAX_PROBE_PAUSE_SECONDS
from bot.jobs.waits.pauses import MAX_PAUSES
from bot.model import JobChanged
from bot.pacing import CLOCK_STEP_SECONDS
from storage.clock import SeenClock
from storage.errors import StorageError

if TYPE_CHECKING:
    from bot.events import EventBus
    from bot.pacing import WatchedClock
    from storage.clock import ClockStore

log = logging.getLogger(__name__)

_SAVE_SECONDS = 10 * 60.0
# A smaller difference is a measurement error.
_MIN_DRIFT_SECONDS = 1.0
# The downtime after which a rebooted machine's clock is doubted. It may have been changed in that
# time without notice.
_DOUBTFUL_DOWNTIME_SECONDS = 10 * 60.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ClockWatcher:
    """Compares the machine's clock with the time that has really passed, even across restarts.

    `boot`: the id of the machine's boot, from which the steady clock counts.
    `pause`: the seconds between two checks.
    """

    def __init__(
        self, clock: WatchedClock, store: ClockStore, bus: EventBus, *, boot: str, pause: float
    ) -> None:
        self._clock = clock
        self._store = store
        self._bus = bus
        self._boot = boot
        self._pause = pause
        self._since = 0.0
        self._saved_at = 0.0

    async def resume(self) -> None:
        """Compare the clock with the reading that an earlier process stored.

        Call this before `run`.
        """
        seen = await self._store.read()
        if seen is None:
            await self._save()
            return
        now = self._clock()
        passed = self._passed_since(seen)
        expected = max(now, seen.seen_at) if passed is None else seen.seen_at + passed
        self._clock.set_known(seen.known_at + (passed or 0.0))
        self._since = seen.since
        drift = now - expected
        if abs(drift) >= _MIN_DRIFT_SECONDS:
            await self._move_jobs(drift)
            await self._check_jobs(drift)
        elif passed is None and now - seen.seen_at > _DOUBTFUL_DOWNTIME_SECONDS:
            # The clock may have been wrong when earlier times were stored.
            self._since = now
            self._clock.mark_unsettled()
        await self._save()
        await self._shorten()

    async def run(self) -> None:
        """Check the clock again and again until cancelled."""
        while True:
            try:
                await self.check()
            except StorageError:
                log.exception("clock.not_followed")  # the next check tries again
            await asyncio.sleep(self._pause)

    async def check(self) -> None:
        """Shift stored times if the clock was changed, and shorten waits that are too long."""
        drift = self._clock.drift
        if abs(drift) >= _MIN_DRIFT_SECONDS:
            await self._follow(drift)
        elif self._clock.steady() - self._saved_at >= _SAVE_SECONDS:
            await self._save()
        await self._shorten()

    async def _follow(self, drift: float) -> None:
        # If the clock was set back, the new time is adopted before the jobs are shifted. If it was
        # set forward, it is adopted afterwards. This way, no job becomes due too early in between.
        if drift < 0:
            self._clock.adopt(drift)
        try:
            await self._move_jobs(drift)
        except BaseException:
            if drift < 0:
                self._clock.adopt(-drift)
            raise
        if drift > 0:
            self._clock.adopt(drift)
        await self._check_jobs(drift)

    async def _move_jobs(self, drift: float) -> None:
        if abs(drift) > CLOCK_STEP_SECONDS:
            log.warning("clock.set seconds=%d", drift)
            self._clock.mark_unsettled()
        self._since += drift
        try:
            await self._store.shift(self._seen(), by=drift)
        except BaseException:
            self._since -= drift
            raise

    async def _check_jobs(self, drift: float) -> None:
        if abs(drift) <= CLOCK_STEP_SECONDS:
            return
        await self._store.make_all_due(now=self._clock())
        # Other components keep times of these jobs in memory, and update them on this event.
        for job in await self._store.open_jobs():
            self._bus.publish(JobChanged(job=job, previous=job.state))

    async def _shorten(self) -> None:
        if shortened := await self._store.shorten(
            MAX_PAUSES, longest_probe=MAX_PROBE_PAUSE_SECONDS, now=self._clock()
        ):
            log.warning("jobs.waits_shortened jobs=%d", shortened)

    async def _save(self) -> None:
        await self._store.save(self._seen())
        self._saved_at = self._clock.steady()

    def _seen(self) -> SeenClock:
        return SeenClock(
            boot=self._boot,
            steady=self._clock.steady(),
            seen_at=self._clock.wall(),
            known_at=self._clock.known,
            since=self._since,
        )

    def _passed_since(self, seen: SeenClock) -> float | None:
        """Return the seconds since a clock reading, or None if the machine was rebooted since."""
        passed = self._clock.steady() - seen.steady
        return passed if self._boot and self._boot == seen.boot and passed >= 0 else None


def boot_id() -> str:
    """Return the id of the machine's current boot, or "" if there is none. Blocks the thread."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
