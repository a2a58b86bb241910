"""Cancels a job for the operator: through the running bot, or directly if the bot isn't running."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from bot.commands.running_bot import ask_running_bot, refused_by_bot
from bot.errors import BackendError
from bot.jobs.remote.identity import RemoteIdentity
from bot.runtime.adapters import open_backend
from bot.runtime.engine import open_engine
from bot.runtime.resources import open_resources
from bot.web.operator_routes import CANCEL_PATH, cancel_subject
from storage.files.data_folder import DataInUseError
from storage.jobs.remote_jobs import RemoteJobStore

if TYPE_CHECKING:
    from bot.model import Job
    from bot.settings.fields import Settings

_UNSENT = "Cancelled. The job had not been sent to the video service."
_SENT = "Cancelled. The job had been sent to the video service, which may charge for it."
_STOPPED = "Cancelled. The video service was asked to stop the job, and may charge for it."


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancellation:
    """The result of an attempt to cancel a job, and the sentence that reports the result."""

    cancelled: bool
    sentence: str


async def cancel_job(settings: Settings, job: Job) -> Cancellation:
    """Cancel a job.

    Raises StartupError if the running bot can't be reached, or if the operator has to act first.
    """
    try:
        return await _cancel_directly(settings, job)
    except DataInUseError:
        return await _cancel_through_bot(settings, job)


async def _cancel_through_bot(settings: Settings, job: Job) -> Cancellation:
    """Ask the running bot, which has the database open, to cancel the job."""
    answer = await ask_running_bot(
        settings, f"{CANCEL_PATH}{job.id}", subject=cancel_subject(job.id)
    )
    match answer.status:
        case HTTPStatus.NO_CONTENT:
            return _cancelled(job)
        case HTTPStatus.CONFLICT:
            return _too_late(job)
        case _:
            raise refused_by_bot(settings, answer.status)


async def _cancel_directly(settings: Settings, job: Job) -> Cancellation:
    """Cancel the job in the database, and ask the provider once to stop its own job."""
    async with AsyncExitStack() as stack:
        resources = await open_resources(settings, stack)
        backend = await open_backend(resources, stack)
        engine = await open_engine(resources, backend, stack)
        cancelled = await engine.jobs.cancel(job.id)
        if cancelled is None:
            return _too_late(job)
        if cancelled.remote_id is None or cancelled.backend != backend.name:
            return _cancelled(cancelled)
        remote_jobs = RemoteJobStore(resources.database)
        identity = RemoteIdentity(remote_jobs, engine.jobs, backend, clock=resources.clock)
        try:
            await identity.cancel(cancelled)
        except BackendError as error:
            return Cancellation(
                cancelled=True,
                sentence=f"{_SENT} The service could not be asked to stop the job "
                f"({error}); the bot asks again at its next start.",
            )
        return Cancellation(cancelled=True, sentence=_STOPPED)


def _cancelled(job: Job) -> Cancellation:
    sent = job.submitted_at is not None or job.remote_id is not None
    return Cancellation(cancelled=True, sentence=_SENT if sent else _UNSENT)


def _too_late(job: Job) -> Cancellation:
    return Cancellation(
        cancelled=False, sentence=f"Job {job.id} can't be cancelled any more: it has ended."
    )
