"""Keeper: deletes what people don't want kept, and what was kept for long enough."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.jobs.service import JobService
    from bot.media.files.inventory import Inventory, InventoryFile
    from bot.media.files.workspace import Workspace
    from storage.people import PeopleStore
    from storage.retention import DeletionStatus, RetentionStore

log = logging.getLogger(__name__)

_DAY = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionLimits:
    """How long finished videos are kept, in days, and how much room all may take, in bytes."""

    days: int
    max_bytes: int

    @property
    def seconds(self) -> float:
        """The days in seconds."""
        return self.days * _DAY


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What is stored of a person; `next_at` is when the first video goes, in Unix seconds.

    `video_bytes` has the smaller copies in it. `rows_until` is when the last empty row of a deleted
    job goes; None: there is none.
    """

    person: Person
    prompts: int
    open_jobs: int
    videos: int
    video_bytes: int
    narrations: int
    next_at: float | None
    rows_until: float | None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could be deleted."""
        return not self.prompts and self.person == Person(user_id=self.person.user_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion:
    """How many jobs were deleted, and how many have to end first.

    `choice`: what they chose was deleted. `rows_until` as in `Stored`.
    """

    deleted: int
    open_jobs: int
    choice: bool
    rows_until: float | None


class Retention:
    """Deletes jobs that have ended; a file that somebody reads meanwhile stays readable to them.

    `on_deleted` is told that there is something to delete at the video service as well.
    """

    def __init__(
        self,
        store: RetentionStore,
        people: PeopleStore,
        workspace: Workspace,
        jobs: JobService,
        *,
        limits: RetentionLimits,
        on_deleted: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._people = people
        self._workspace = workspace
        self._jobs = jobs
        self._limits = limits
        self._on_deleted = on_deleted
        self._clock = clock
        self._is_overfull = False

    @property
    def limits(self) -> RetentionLimits:
        """What the operator allows."""
        return self._limits

    async def delete(self, job_id: str) -> bool:
        """Delete all that is kept of a job but its empty row; False: it is open, or unknown."""
        if not await self.mark_deleted(job_id):
            return False
        await self.erase(job_id)
        return True

    async def mark_deleted(self, job_id: str) -> bool:
        """Empty the row of a job that has ended, so that it counts as deleted; False: it is open.

        One whose video waits for the operator ends by that. What is left of it is to be erased
        next; what a crash leaves of that, the sweep finishes.
        """
        await self._jobs.discard(job_id)
        if not await self._store.mark_deleted(job_id, now=self._clock()):
            return False
        log.info("job.deleted id=%s", job_id)
        return True

    async def erase(self, job_id: str) -> None:
        """Delete all that is left of a job that was marked as deleted."""
        await self._drop(job_id)
        await self._leave_nothing()

    async def stored(self, user_id: int) -> Stored:
        """Tell what is stored of a person."""
        holdings = await self._store.holdings(user_id, now=self._clock())
        videos = [holding for holding in holdings if holding.size is not None]
        delivered = [held.delivered_at for held in videos if held.delivered_at is not None]
        theirs = {holding.job_id for holding in holdings}
        stock = await self._workspace.stock()
        return Stored(
            person=await self._people.get(user_id),
            prompts=len(holdings),
            open_jobs=sum(not holding.can_go for holding in holdings),
            videos=len(videos),
            video_bytes=sum(holding.size or 0 for holding in videos)
            + sum(item.size for item in stock.copies if item.job_id in theirs),
            narrations=sum(item.job_id in theirs for item in stock.narrations),
            next_at=min(delivered) + self._limits.seconds if delivered else None,
            rows_until=await self._rows_until(user_id),
        )

    async def delete_all(self, user_id: int) -> Deletion:
        """Delete every job of a person that has ended, and what they chose."""
        deleted = open_jobs = 0
        for holding in await self._store.holdings(user_id, now=self._clock()):
            if await self.mark_deleted(holding.job_id):
                await self._drop(holding.job_id)
                deleted += 1
            else:
                open_jobs += 1
        choice = await self._people.forget(user_id)
        await self._leave_nothing()
        log.info("person.deleted user=%d jobs=%d open=%d", user_id, deleted, open_jobs)
        return Deletion(
            deleted=deleted,
            open_jobs=open_jobs,
            choice=choice,
            rows_until=await self._rows_until(user_id),
        )

    async def sweep(self) -> None:
        """Delete what is too old, what has no room, and what a crash has left."""
        await self._store.drop_artifacts_of_deleted()
        await self._store.forget_speeches(now=self._clock())
        # First the disk, then the table: a file whose job isn't there yet can't be seen.
        stock = await self._workspace.stock()
        standing = await self._store.standing(stock.job_ids)
        await self._clear_left(stock, standing)
        await self._expire(stock, standing)
        if rows := await self._store.drop_rows(sparing=stock.job_ids, now=self._clock()):
            log.info("jobs.forgotten rows=%d", rows)
        await self._store.empty_log()

    async def _rows_until(self, user_id: int) -> float | None:
        deleted_at = await self._store.last_deleted_at(user_id)
        return None if deleted_at is None else deleted_at + _DAY

    async def _leave_nothing(self) -> None:
        await self._store.empty_log()
        self._on_deleted()

    async def _clear_left(self, stock: Inventory, standing: Mapping[str, DeletionStatus]) -> None:
        """Delete the files of deleted and unknown jobs, and folders that nobody works in."""
        for item in stock.kept:
            job = standing.get(item.job_id)
            if self._is_old(item, self._limits.seconds) if job is None else job.is_deleted:
                await self._discard(item.job_id)
                log.info("files.left_over id=%s", item.job_id)
        for item in stock.folders:
            job = standing.get(item.job_id)
            if self._is_old(item, _DAY) and (job is None or job.rests):
                await self._workspace.remove(item.job_id)
                log.info("folder.left_over id=%s", item.job_id)

    def _is_old(self, item: InventoryFile, seconds: float) -> bool:
        return item.modified_at < self._clock() - seconds

    async def _expire(self, stock: Inventory, standing: Mapping[str, DeletionStatus]) -> None:
        """Let go of files, the oldest first, until all are young enough and have room."""
        sizes = Counter[str]()
        for item in stock.kept:
            if (job := standing.get(item.job_id)) and not job.is_deleted:
                sizes[item.job_id] += item.size
        ages = sorted(
            (since, job_id) for job_id in sizes if (since := standing[job_id].since) is not None
        )
        total = sum(sizes.values())
        for since, job_id in ages:
            is_old = since < self._clock() - self._limits.seconds
            has_room = total <= self._limits.max_bytes or standing[job_id].is_awaited
            if not is_old and has_room:
                continue
            await self._drop(job_id)
            log.info("job.expired id=%s because=%s", job_id, "age" if is_old else "room")
            total -= sizes[job_id]
        self._warn_if_overfull(total)

    def _warn_if_overfull(self, total: int) -> None:
        is_overfull = total > self._limits.max_bytes
        if is_overfull and not self._is_overfull:
            log.warning(
                "keep.overfull bytes=%d limit=%d advice='what is left waits for its person: raise "
                "KEEP_GB, or set PUBLIC_URL'",
                total,
                self._limits.max_bytes,
            )
        self._is_overfull = is_overfull

    async def _drop(self, job_id: str) -> None:
        # In this order: links and lists never lead to a file that is gone.
        await self._store.drop_artifact(job_id)
        await self._discard(job_id)

    async def _discard(self, job_id: str) -> None:
        try:
            await self._workspace.discard(job_id)
        except OSError as error:
            log.warning("files.undeletable id=%s error=%s", job_id, error.strerror)
