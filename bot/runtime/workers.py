"""Assembles the workers, which run the steps of jobs."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from bot.backends.base import BackendUpdate
from bot.jobs.changes.publisher import ChangePublisher
from bot.jobs.downloading import Downloading, FinalDownload
from bot.jobs.ending import EndSteps
from bot.jobs.merging import Merging
from bot.jobs.pipeline import Pipeline
from bot.jobs.polling.list_polling import ListPolling
from bot.jobs.polling.page_step import PageStep
from bot.jobs.polling.poller import Poller
from bot.jobs.polling.schedule import PollSchedule
from bot.jobs.remote.answer_saver import AnswerSaver
from bot.jobs.remote.fresh_values import FreshValues
from bot.jobs.remote.identity import RemoteIdentity
from bot.jobs.remote.lookup import RemoteLookup
from bot.jobs.submission import Submission
from bot.jobs.waits.step_retries import StepRetries
from bot.jobs.worker import Worker, make_lanes
from bot.library.orphans import OrphanCounter
from bot.media.mp4.reader import VideoInfo
from bot.model import JobState
from bot.pacing import ListIntervals, PostFence
from bot.runtime.parts.voices import make_voice_guide
from bot.runtime.resources import MIN_FREE_BYTES
from bot.runtime.roles.role import Role, lanes_of
from storage.jobs.generation_times import GenerationTimes
from storage.jobs.listings import ListingStore
from storage.jobs.polling.list_turns import ListTurns
from storage.jobs.polling.listed_jobs import ListedJobStore
from storage.jobs.remote_jobs import RemoteJobStore
from storage.jobs.unconfirmed import UnconfirmedStore

if TYPE_CHECKING:
    from bot.jobs.pipeline import Deliverer
    from bot.runtime.engine import Engine

_MAX_CLIP_BYTES = 500 * 1024 * 1024
# From this age on, a single job is polled less often than the provider's list of jobs is read.
_BLIND_AGE_SECONDS = 30.0


def make_workers(engine: Engine, deliverer: Deliverer, role: Role = Role.ALL) -> tuple[Worker, ...]:
    """Return the workers that run the steps of the role. Every change to a job wakes them."""
    database, clock = engine.resources.database, engine.resources.clock
    remote_jobs = RemoteJobStore(database)
    fresh_answers = FreshValues[BackendUpdate](clock.steady)
    fresh_clips = FreshValues[VideoInfo](clock.steady)
    identity = RemoteIdentity(remote_jobs, engine.jobs, engine.backend, clock=clock)
    downloading = Downloading(
        jobs=engine.jobs,
        backend=engine.backend,
        workspace=engine.workspace,
        shared=engine.shared,
        identity=identity,
        fresh_answers=fresh_answers,
        fresh_clips=fresh_clips,
        max_bytes=_MAX_CLIP_BYTES,
    )
    pipeline = Pipeline(
        jobs=engine.jobs,
        paid_requests=engine.paid_requests,
        artifacts=engine.artifacts,
        workspace=engine.workspace,
        editor=engine.editor,
        deliverer=deliverer,
        submission=Submission(
            jobs=engine.jobs,
            holds=engine.holds,
            lookup=RemoteLookup(
                unconfirmed=UnconfirmedStore(database, engine.spent),
                remote_jobs=remote_jobs,
                listings=ListingStore(database),
                spent=engine.spent,
                backend=engine.backend,
                account=engine.account,
                clock=clock,
            ),
            identity=identity,
            saver=AnswerSaver(steady=clock.steady),
            backend=engine.backend,
            circuit=engine.circuit,
            capacity=engine.capacity,
            workspace=engine.workspace,
            prompt_step=engine.prompt_step,
            fence=PostFence(),
            voice_guide=make_voice_guide(engine),
            lookup_delays=engine.timing.lookup_delays,
            first_poll=engine.timing.poll_intervals.first,
            min_free_bytes=MIN_FREE_BYTES,
        ),
        prompt_step=engine.prompt_step,
        end_steps=EndSteps(
            jobs=engine.jobs,
            backend=engine.backend,
            identity=identity,
            workspace=engine.workspace,
            shared=engine.shared,
            cards=deliverer,
        ),
        budgeting=engine.budgeting,
        downloading=downloading,
        merging=Merging(
            jobs=engine.jobs,
            artifacts=engine.artifacts,
            workspace=engine.workspace,
            shared=engine.shared,
            editor=engine.editor,
            downloading=downloading,
            fresh_clips=fresh_clips,
            clock=clock,
        ),
    )
    poller = Poller(
        engine.jobs,
        engine.backend,
        PollSchedule(
            engine.timing.poll_intervals,
            GenerationTimes(database),
            has_webhooks=engine.backend.capabilities.webhooks,
            clock=clock,
            jitter=_jitter,
        ),
        identity,
        holds=engine.holds,
        final_download=FinalDownload(engine.backend, engine.workspace, max_bytes=_MAX_CLIP_BYTES),
        fresh_answers=fresh_answers,
        silence=engine.silence,
        clock=clock,
        jitter=_jitter,
    )
    steps = {**pipeline.steps, JobState.GENERATING: poller.poll}
    retries = StepRetries(engine.jobs, engine.holds, jitter=_jitter)
    workers = tuple(
        Worker(engine.queue, lane, retries) for lane in lanes_of(role, make_lanes(steps))
    )
    for worker in workers:
        engine.bus.subscribe(worker.on_job_changed)
        if engine.heartbeat is not None:
            engine.heartbeat.on_late(worker.on_late)
    return workers


def make_list_polling(engine: Engine, role: Role = Role.ALL) -> ListPolling | None:
    """Return the component that polls many jobs with one request.

    Returns None if the backend can't list jobs.
    """
    backend, timing = engine.backend, engine.timing
    if not backend.capabilities.lists:
        return None
    database, clock = engine.resources.database, engine.resources.clock
    intervals = ListIntervals(
        period=timing.list_period,
        put_off=timing.poll_intervals.ceiling,
        blind_age=None if backend.capabilities.webhooks else _BLIND_AGE_SECONDS,
    )
    store = ListedJobStore(database, backend=backend.name)
    polling = ListPolling(
        store,
        backend,
        PageStep(
            store,
            RemoteIdentity(RemoteJobStore(database), engine.jobs, backend, clock=clock),
            ChangePublisher(engine.bus),
            engine.silence,
            put_off=intervals.put_off,
            clock=clock,
        ),
        intervals=intervals,
        clock=clock,
        turns=_list_turns(engine) if role is Role.WORKER else None,
    )
    engine.bus.subscribe(polling.on_job_changed)
    return polling


def _list_turns(engine: Engine) -> ListTurns | None:
    """Return the component that lets one of the workers read the list."""
    if engine.heartbeat is None:
        return None
    return ListTurns(
        engine.resources.database,
        backend=engine.backend.name,
        worker=engine.heartbeat.worker_id,
        clock=engine.resources.database.wall,
    )


def make_orphan_counter(engine: Engine) -> OrphanCounter:
    """Return the component that counts the provider's jobs that the bot has no record of."""
    database = engine.resources.database
    return OrphanCounter(
        remote_jobs=RemoteJobStore(database),
        listings=ListingStore(database),
        spent=engine.spent,
        backend=engine.backend,
        account=engine.account,
        clock=engine.resources.clock,
    )


def _jitter() -> float:
    return random.random() * 0.1  # noqa: S311 - only spreads out polls
