"""Retention: deletes jobs on request, and files that are too old or take too much space."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import FirstError
from bot.media.files.stores.base import COPIES, NARRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.jobs.service import JobService
    from bot.media.files.inventory import Inventory, InventoryFolder
    from bot.media.files.stores.base import KeptFile
    from bot.media.files.workspace import Workspace
    from bot.pacing import WatchedClock
    from bot.speech.kept_speeches import KeptSpeeches
    from storage.files.kept_files import KeptFileTable
    from storage.jobs.spent_refs import SpentRefs
    from storage.people import PeopleStore, Person
    from storage.retention import DeletionStatus, RetentionStore

log = logging.getLogger(__name__)

_HOUR = 60 * 60
_DAY = 24 * _HOUR


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionLimits:
    """The limits for kept videos: the maximum age in days, and the maximum total size.

    `trace_days`: the days for which copies of the database keep deleted rows, or None if unknown.
    """

    days: int
    max_bytes: int
    trace_days: int | None = 0

    @property
    def seconds(self) -> float:
        """The maximum age in seconds."""
        return self.days * _DAY


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredData:
    """A summary of the data that is stored about a person. Times are Unix seconds.

    `video_bytes`: the total size of the videos and their smaller copies.
    `speeches`: the number of `/narrate` texts that are kept together with their audio.
    `next_at`: the time at which the next video expires, or None if no video will.
    `rows_until`: the time at which the last row that is kept only for the daily caps will be
    removed, or None if there is no such row.
    """

    person: Person
    prompts: int
    open_jobs: int
    videos: int
    video_bytes: int
    narrations: int
    speeches: int
    next_at: float | None
    rows_until: float | None

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to delete."""
        return not self.prompts and not self.speeches and not self.person.is_stored


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion:
    """The result of deleting a person's data.

    `deleted`: the number of deleted jobs. `speeches`: the number of deleted texts of `/narrate`.
    `open_jobs`: the number of jobs not deleted because they are open. `at`: the time of deletion.
    `choice`: whether a setting of the person was deleted too. `rows_until`: as in `StoredData`.
    """

    deleted: int
    speeches: int
    open_jobs: int
    choice: bool
    at: float
    rows_until: float | None


class Retention:
    """Deletes jobs that have ended. If a deleted video is being downloaded, the download continues.

    `on_deleted`: called after each deletion, so that the provider's data is deleted too.
    """

    def __init__(
        self,
        store: RetentionStore,
        people: PeopleStore,
        workspace: Workspace,
        jobs: JobService,
        *,
        speeches: KeptSpeeches,
        spent: SpentRefs,
        kept_files: KeptFileTable,
        limits: RetentionLimits,
        on_deleted: Callable[[], None],
        clock: WatchedClock,
    ) -> None:
        self._store = store
        self._people = people
        self._workspace = workspace
        self._jobs = jobs
        self._speeches = speeches
        self._spent = spent
        self._kept_files = kept_files
        self._limits = limits
        self._on_deleted = on_deleted
        self._clock = clock
        self._is_overfull = False

    @property
    def limits(self) -> RetentionLimits:
        """The operator's limits on kept videos."""
        return self._limits

    async def delete(self, job_id: str) -> bool:
        """Delete a job, but keep its row without content.

        Returns False if the job has not ended.
        """
        if not await self.mark_deleted(job_id):
            return False
        await self.delete_content(job_id)
        return True

    async def mark_deleted(self, job_id: str) -> bool:
        """Mark a job as deleted by clearing its row, or return False if the job has not ended.

        A job whose delivery waits for the operator is cancelled first. After this, the caller must
        call `delete_content`. If the bot crashes before that, the sweep deletes the files.
        """
        await self._jobs.cancel_postponed_delivery(job_id)
        if not await self._store.mark_deleted(job_id, now=self._clock()):
            return False
        log.info("job.deleted id=%s", job_id)
        return True

    async def delete_content(self, job_id: str) -> None:
        """Delete the files of a job that is marked as deleted, and its data at the provider."""
        await self._delete_files(job_id)
        await self._finish_deletion()

    async def stored(self, user_id: int) -> StoredData:
        """Return a summary of the data that is stored about a person."""
        stored_jobs = await self._store.jobs_of(user_id, now=self._clock())
        videos = [job for job in stored_jobs if job.size is not None]
        delivered = [job.delivered_at for job in videos if job.delivered_at is not None]
        job_ids = {job.job_id for job in stored_jobs}
        files = await self._kept_files.of_jobs(job_ids)
        return StoredData(
            person=await self._people.get(user_id),
            prompts=len(stored_jobs),
            open_jobs=sum(not job.is_deletable for job in stored_jobs),
            videos=len(videos),
            video_bytes=sum(job.size or 0 for job in videos)
            + sum(file.size for file in files if file.folder in COPIES),
            narrations=len({file.job_id for file in files if file.folder == NARRATIONS}),
            speeches=await self._speeches.count(user_id),
            next_at=min(delivered) + self._limits.seconds if delivered else None,
            rows_until=await self._rows_until(user_id),
        )

    async def delete_all(self, user_id: int, *, keeps_refusals: bool = False) -> Deletion:
        """Delete a person's ended jobs and settings. `keeps_refusals`: see `PeopleStore.delete`."""
        jobs = await self._store.jobs_of(user_id, now=self._clock())
        # The rows are cleared first, because deleting files is slow while their store is down. If
        # the bot stops meanwhile, the sweep deletes the files of the cleared rows.
        cleared = [job.job_id for job in jobs if await self.mark_deleted(job.job_id)]
        deleted, open_jobs = len(cleared), len(jobs) - len(cleared)
        choice = await self._people.delete(user_id, keeps_refusals=keeps_refusals)
        speeches = await self._speeches.delete_all(user_id)
        for job_id in cleared:
            await self._delete_files(job_id)
        await self._finish_deletion()
        log.info("person.deleted user=%d jobs=%d open=%d", user_id, deleted, open_jobs)
        return Deletion(
            deleted=deleted,
            speeches=speeches,
            open_jobs=open_jobs,
            choice=choice,
            at=self._clock(),
            rows_until=await self._rows_until(user_id),
        )

    async def sweep(self) -> None:
        """Delete expired videos and files left over by crashes, and enforce the size limit."""
        await self._store.delete_artifacts_of_deleted()
        if self._clock.is_unsettled:
            log.warning("sweep.postponed because=clock")
            return  # the next sweep continues
        now = self._clock.conservative()
        await self._speeches.sweep(now=now)
        await self._store.delete_old_turns(now=now)
        # The disk is read before the table. In the opposite order, a job that is created between
        # the two reads would seem not to exist, and its files would be deleted.
        inventory = await self._workspace.inventory()
        kept = await self._kept_files.mend(inventory.kept, now=now)
        inventory = replace(inventory, kept=kept)
        statuses = await self._store.deletion_statuses(inventory.job_ids)
        first_error = FirstError()
        with first_error.deferred():
            await self._delete_leftovers(inventory, statuses)
        with first_error.deferred():
            await self._expire(inventory, statuses)
        with first_error.deferred():
            # A row counts towards the daily caps until a day has really passed. The clock and the
            # time that a server last reported may each be wrong, so the earlier of the two is used.
            rows = await self._store.delete_rows(
                keeping=inventory.job_ids, spent=self._spent, now=min(now, self._clock.known)
            )
            if rows:
                log.info("jobs.forgotten rows=%d", rows)
        await self._store.clear_log()
        first_error.raise_if_any()

    async def _rows_until(self, user_id: int) -> float | None:
        deleted_at = await self._store.last_deleted_at(user_id)
        return None if deleted_at is None else deleted_at + _DAY

    async def _finish_deletion(self) -> None:
        await self._store.clear_log()
        self._on_deleted()

    async def _delete_leftovers(
        self, inventory: Inventory, statuses: Mapping[str, DeletionStatus]
    ) -> None:
        """Delete the files of deleted or unknown jobs, and folders that no step uses any more."""
        for item in inventory.kept:
            job = statuses.get(item.job_id)
            if self._is_old(item, self._limits.seconds) if job is None else job.is_deleted:
                await self._delete_from_disk(item.job_id)
                log.info("files.left_over id=%s", item.job_id)
        for item in inventory.scratch:
            if self._is_old(item, _HOUR):
                await self._workspace.delete_scratch(item.job_id)
        for item in inventory.folders:
            job = statuses.get(item.job_id)
            if self._is_old(item, _DAY) and (job is None or job.is_settled):
                await self._workspace.delete_folder(item.job_id)
                log.info("folder.left_over id=%s", item.job_id)

    def _is_old(self, item: KeptFile | InventoryFolder, seconds: float) -> bool:
        return item.modified_at < self._clock.conservative() - seconds

    async def _expire(self, inventory: Inventory, statuses: Mapping[str, DeletionStatus]) -> None:
        """Delete files, oldest first, until the remaining files are within the limits."""
        sizes = Counter[str]()
        for item in inventory.kept:
            if (job := statuses.get(item.job_id)) and not job.is_deleted:
                sizes[item.job_id] += item.size
        ages = sorted(
            (since, job_id) for job_id in sizes if (since := statuses[job_id].since) is not None
        )
        total = sum(sizes.values())
        for since, job_id in ages:
            is_old = since < self._clock.conservative() - self._limits.seconds
            has_room = total <= self._limits.max_bytes or statuses[job_id].is_awaited
            if not is_old and has_room:
                continue
            await self._delete_files(job_id)
            log.info("job.expired id=%s because=%s", job_id, "age" if is_old else "room")
            total -= sizes[job_id]
        self._warn_if_overfull(total)

    def _warn_if_overfull(self, total: int) -> None:
        is_overfull = total > self._limits.max_bytes
        if is_overfull and not self._is_overfull:
            log.warning(
                "keep.overfull bytes=%d limit=%d advice='the rest is not delivered yet: raise "
                "KEEP_GB, or set PUBLIC_URL'",
                total,
                self._limits.max_bytes,
            )
        self._is_overfull = is_overfull

    async def _delete_files(self, job_id: str) -> None:
        # The row is deleted before the file, so that no link or list ever refers to a deleted file.
        await self._store.delete_artifact(job_id)
        await self._delete_from_disk(job_id)

    async def _delete_from_disk(self, job_id: str) -> None:
        try:
            await self._workspace.delete_files(job_id)
        except OSError as error:
            log.warning("files.undeletable id=%s error=%s", job_id, error.strerror or error)
