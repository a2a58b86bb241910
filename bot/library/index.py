"""Library: finds a person's jobs, and the videos that are still kept."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import UserError
from storage.library import LibrarySearch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from bot.artifacts import Artifact
    from bot.media.files.workspace import Workspace
    from bot.model import Job
    from storage.artifacts import ArtifactStore
    from storage.library import LibraryStore, StateChange, UsedPrompt

PAGE_SIZE = 5
MAX_CHOICES = 25
_MAX_STEPS = 15
_JOB_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryEntry:
    """A job in a person's list of jobs.

    `kept`: whether its video is still stored and can be sent again.
    """

    job: Job
    kept: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class LibraryPage:
    """One page of a list of jobs.

    `offset`: the position of the first job on the page. `total`: the number of jobs in the list.
    `search`: the query as the person typed it.
    """

    entries: tuple[LibraryEntry, ...]
    offset: int
    total: int
    search: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobDetails:
    """A job with its last state changes and its video.

    `artifact` is None if the video is not kept.
    """

    job: Job
    steps: tuple[StateChange, ...]
    artifact: Artifact | None


class Library:
    """Finds jobs for the people who ordered them."""

    def __init__(
        self,
        store: LibraryStore,
        artifacts: ArtifactStore,
        workspace: Workspace,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._workspace = workspace
        self._clock = clock
        self._sending: set[int] = set()

    async def page(self, user_id: int, *, search: str = "", offset: int = 0) -> LibraryPage:
        """Return the page with the job at `offset`, or the last page if the list is shorter.

        `search`: words that the prompt must contain, or a job's id to find all jobs with its
        prompt.
        """
        query = _search(user_id, search)
        total = await self._store.count(query)
        last = max(0, total - 1)
        start = min(offset, last) // PAGE_SIZE * PAGE_SIZE
        jobs = await self._store.page(query, offset=start, limit=PAGE_SIZE)
        entries = [LibraryEntry(job=job, kept=await self._file(job) is not None) for job in jobs]
        return LibraryPage(entries=tuple(entries), offset=start, total=total, search=search)

    async def suggest(self, user_id: int, typed: str) -> list[UsedPrompt]:
        """List the person's prompts that contain the typed words, most recently used first."""
        return await self._store.prompts(_search(user_id, typed), limit=MAX_CHOICES)

    async def details(self, message_id: int) -> JobDetails | None:
        """Return the details of a card's job, or None if the message with this id is not a card."""
        job = await self._store.by_message(message_id)
        if job is None:
            return None
        return JobDetails(
            job=job,
            steps=tuple(await self._store.steps(job.id, limit=_MAX_STEPS)),
            artifact=await self._file(job),
        )

    async def get_video(self, job_id: str, user_id: int) -> tuple[Job, Artifact]:
        """Return a person's job and its finished video.

        Raises UserError if the job belongs to another person, or if its video is no longer kept.
        """
        job = await self._store.own(job_id, user_id)
        artifact = await self._file(job) if job else None
        if job is None or artifact is None:
            raise UserError("library.not_kept")
        return job, artifact

    @contextmanager
    def send_lock(self, user_id: int) -> Generator[None]:
        """Mark that a video is being sent to a person.

        Raises UserError if another video is being sent to the person already.
        """
        if user_id in self._sending:
            raise UserError("library.busy")
        self._sending.add(user_id)
        try:
            yield
        finally:
            self._sending.discard(user_id)

    async def mark_delivered(self, job_id: str) -> None:
        """Record that the person has received the video."""
        await self._artifacts.mark_delivered(job_id, now=self._clock())

    async def _file(self, job: Job) -> Artifact | None:
        artifact = await self._artifacts.get(job.id)
        return artifact if artifact and await self._workspace.has_video(job.id) else None


def _search(user_id: int, typed: str) -> LibrarySearch:
    text = typed.strip()
    if _JOB_ID.fullmatch(text):
        return LibrarySearch(user_id=user_id, like_job=text)
    return LibrarySearch(user_id=user_id, words=tuple(text.split()))
