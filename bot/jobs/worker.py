"""Workers, each of which claims the due jobs of one lane and runs their steps."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import ClapperError
from bot.jobs.waits.lane_alarm import LaneAlarm
from bot.jobs.waits.step_retries import SHOWN
from bot.model import AT_PROVIDER, JobState
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.jobs.queue import JobQueue
    from bot.jobs.waits.step_retries import StepRetries
    from bot.model import Job, JobChanged

log = logging.getLogger(__name__)

# The longest sleep between two reads of the table. The clock may be changed during a sleep, so a
# longer one could miss a job that is due.
_IDLE_SECONDS = 5.0
# The states of jobs that are claimed to be sent, or at the provider.
_OCCUPYING = AT_PROVIDER | {JobState.QUEUED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A group of steps, of which at most `slots` run at the same time.

    `interruptible`: whether a running step can be cancelled without loss when its job is cancelled.
    `ends_when_late`: whether the steps are cancelled when other workers may take their jobs over.
    `needs_discord`: whether the steps need Discord, unless the job is an API client's.
    `narrated`: True for jobs with a narration, False for jobs without one, None for both.
    """

    name: str
    steps: Mapping[JobState, Callable[[Job], Awaitable[None]]]
    slots: int
    interruptible: bool = False
    ends_when_late: bool = True
    needs_discord: bool = False
    narrated: bool | None = None


def make_lanes(steps: Mapping[JobState, Callable[[Job], Awaitable[None]]]) -> tuple[Lane, ...]:
    """Return all lanes.

    Each lane has its own slots, so that slow steps delay no steps of other lanes.
    """

    def lane(name: str, slots: int, *states: JobState, **flags: bool) -> Lane:
        return Lane(
            name=name, slots=slots, steps={state: steps[state] for state in states}, **flags
        )

    receives = {"interruptible": True, "needs_discord": True}
    return (
        lane("intake", 3, JobState.RECEIVED, **receives, narrated=False),
        # Narrations have their own lane, because they may take long to download, to synthesise or
        # to decode.
        lane("narrations", 3, JobState.RECEIVED, **receives, narrated=True),
        # Both states are in one lane, because a lane does not know which jobs run in another.
        # A create request that is under way is not cancelled, because its response would be lost.
        # `PostFence` prevents a late create request from being sent.
        lane("submit", 4, JobState.QUEUED, JobState.SUBMITTING, ends_when_late=False),
        # The search for unconfirmed jobs has its own lane. Otherwise, it would have to wait for
        # create requests, which may take minutes.
        lane("reconcile", 4, JobState.UNCONFIRMED),
        lane("poll", 16, JobState.GENERATING),
        lane("download", 6, JobState.DOWNLOADING, interruptible=True),
        lane("merge", 4, JobState.MERGING, interruptible=True, narrated=False),
        # Narrated merges have their own lane, because they have to wait for ffmpeg, of which only
        # one runs at a time. Most other merges don't need ffmpeg.
        lane("narrate", 4, JobState.MERGING, interruptible=True, narrated=True),
        lane("deliver", 8, JobState.DELIVERING, needs_discord=True),
        # DMs have their own lane, because Discord limits their rate most strictly. No video should
        # have to wait for a DM.
        lane("notify", 4, JobState.NOTIFYING, needs_discord=True),
        lane("show", 8, *sorted(SHOWN - {JobState.CANCELLED}), needs_discord=True),
        # Cancellations have their own lane, because the provider may take minutes to respond to
        # them.
        lane("stop", 4, JobState.CANCELLED, needs_discord=True),
    )


class Worker:
    """Runs the steps of one lane. Only jobs with a running step are in memory."""

    def __init__(self, queue: JobQueue, lane: Lane, retries: StepRetries) -> None:
        self._queue = queue
        self._lane = lane
        self._retries = retries
        self._running: dict[str, asyncio.Task[None]] = {}
        self._changed: dict[str, Job] = {}  # the running jobs that have changed since the claim
        self._alarm = LaneAlarm(max_seconds=_IDLE_SECONDS)
        self._is_waiting = False
        self._stopping = False
        self._is_discord_paused = False

    @property
    def name(self) -> str:
        """The name of the worker's lane."""
        return self._lane.name

    def pause_discord(self) -> None:
        """Claim no more jobs that need Discord, until `resume_discord` is called."""
        self._is_discord_paused = self._lane.needs_discord

    def resume_discord(self) -> None:
        """Claim jobs that need Discord again."""
        self._is_discord_paused = False
        self._alarm.look()

    def on_job_changed(self, event: JobChanged) -> None:
        """Start the job's step, or wake up when this lane can claim the job.

        If the job was cancelled, cancel its running step.
        """
        job = event.job
        running = self._running.get(job.id)
        if running and self._lane.interruptible and job.state is JobState.CANCELLED:
            running.cancel()
        frees_capacity = event.previous in _OCCUPYING and job.state not in AT_PROVIDER
        if frees_capacity and JobState.QUEUED in self._lane.steps and self._queue.lacked_room:
            self._alarm.set_in(0)
        if running:
            self._changed[job.id] = job
        elif not event.outlook_only and self._may_start(job):
            self._start(job)
        else:
            self._wake_for(job)

    def on_late(self) -> None:
        """Cancel the running steps, because other workers may take over these jobs."""
        if self._lane.ends_when_late:
            for task in self._running.values():
                task.cancel()

    async def run(self) -> None:
        """Claim jobs and run their steps until stopped. Database errors are logged and retried."""
        while not self._stopping:
            try:
                await self._claim()
            except StorageError:
                log.exception("worker.database_failed lane=%s", self._lane.name)
                self._alarm.set_in(1.0)
            self._is_waiting = True
            try:
                await self._alarm.wait()
            finally:
                self._is_waiting = False

    async def stop(self, *, grace: float) -> None:
        """Stop claiming jobs. Running steps have `grace` seconds before they are cancelled."""
        self._stopping = True
        self._alarm.ring()
        tasks = set(self._running.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _claim(self) -> None:
        is_due, must_read = self._alarm.begin()
        if is_due:
            await self._start_due()
        if must_read and len(self._running) < self._lane.slots:
            due = await self._queue.seconds_until_due(
                tuple(self._lane.steps),
                running=tuple(self._running),
                clients_only=self._is_discord_paused,
                narrated=self._lane.narrated,
            )
            if due is not None:
                self._alarm.set_in(due)

    async def _start_due(self) -> None:
        free = self._lane.slots - len(self._running)
        if free <= 0:
            return
        due = await self._queue.claim(
            tuple(self._lane.steps),
            running=tuple(self._running),
            limit=free,
            clients_only=self._is_discord_paused,
            narrated=self._lane.narrated,
        )
        if self._stopping:
            return  # the claimed jobs stay due, and the next process claims them
        for job in due:
            self._start(job)

    def _may_start(self, job: Job) -> bool:
        """Tell whether the step of a job that has just changed can be started without a claim."""
        return (
            self._is_waiting
            and not (self._stopping or self._alarm.is_due)
            and len(self._running) < self._lane.slots
            and self._seconds_until(job) == 0
            and self._queue.may_start(job, clients_only=self._is_discord_paused)
        )

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(self._advance(job), name=f"{self._lane.name}:{job.id}")
        self._running[job.id] = task
        task.add_done_callback(lambda _: self._done(job.id))

    def _done(self, job_id: str) -> None:
        was_full = len(self._running) >= self._lane.slots
        del self._running[job_id]
        job = self._changed.pop(job_id, None)
        # Until now, the job counted as claimed, and it may have been the circuit's probe.
        is_not_sent = job is not None and job.state is not JobState.GENERATING
        if was_full or (is_not_sent and JobState.QUEUED in self._lane.steps):
            self._alarm.set_in(0)
        elif job is None:
            self._alarm.ring()
        else:
            self._wake_for(job)

    def _wake_for(self, job: Job) -> None:
        after = self._seconds_until(job)
        if after == 0:
            self._alarm.ring()
        elif after is not None:
            self._alarm.set_in(after)

    def _seconds_until(self, job: Job) -> float | None:
        """Return the seconds until this lane can claim a job, or None if it can't."""
        narrated = self._lane.narrated
        if job.state not in self._lane.steps or narrated not in {None, job.attachment is not None}:
            return None
        return self._queue.seconds_until(job)

    async def _advance(self, job: Job) -> None:
        try:
            await self._step(job)
        except StorageError:
            log.exception("job.step_unsaved id=%s state=%s", job.id, job.state)
            await asyncio.sleep(1)  # the row is still due, so a pause avoids a busy loop
        except Exception:  # handling the failure of a step has failed itself
            log.exception("job.step_unfinished id=%s state=%s", job.id, job.state)
            await asyncio.sleep(_IDLE_SECONDS)
        finally:
            await self._let_go(job)

    async def _let_go(self, job: Job) -> None:
        try:
            await self._queue.let_go(job)
        except StorageError as error:  # this worker can still claim the job
            log.info("job.not_let_go id=%s error=%r", job.id, str(error))

    async def _step(self, job: Job) -> None:
        try:
            await self._lane.steps[job.state](job)
        except StorageError:
            raise
        except ClapperError as error:
            log.warning("job.step_refused id=%s state=%s error=%r", job.id, job.state, str(error))
            await self._retries.retry_later(job, error)
        except Exception as error:  # a bug in one step must not stop the lane
            log.exception("job.step_failed id=%s state=%s", job.id, job.state)
            await self._retries.retry_later(job, error)
