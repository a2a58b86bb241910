"""SharedWork: keeps what another process needs to continue a running job."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from bot.media.files.stores.base import (
    FileStore,
    asked_key,
    cues_key,
    narration_key,
    shared_clip_key,
)
from bot.media.files.stores.folder import link_or_copy

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.files.workspace import Workspace


class SharedStore(FileStore, Protocol):
    """A store that keeps a file only once, even if several processes try to keep it."""

    async def put_once(self, key: str, path: Path) -> bool:
        """Keep the file at `path`, or return False if a file with this key is already kept."""
        ...


class SharedWork:
    """Copies files of running jobs into the store, so that any process can run the next step.

    Without a `store`, one process runs all steps, and all methods do nothing.
    """

    def __init__(self, workspace: Workspace, store: SharedStore | None = None) -> None:
        self._workspace = workspace
        self._store = store

    @property
    def is_on(self) -> bool:
        """Whether several processes run the steps of a job."""
        return self._store is not None

    async def offer_clip(self, job_id: str) -> None:
        """Keep a copy of the clip that was downloaded for a job."""
        await self._offer(shared_clip_key(job_id), self._workspace.folder(job_id).clip)

    async def fetch_clip(self, job_id: str) -> bool:
        """Put the clip into the job's folder. Returns False if no process still has the clip."""
        if self._store is None:
            return False
        folder = await self._workspace.create(job_id)
        try:
            await self._store.get(shared_clip_key(job_id), folder.clip)
        except FileNotFoundError:
            return False
        return True

    async def offer_attachment(self, job_id: str) -> None:
        """Before an order is stored, keep a copy of its attachment and of the attachment's cues."""
        folder = self._workspace.folder(job_id)
        await self._offer(narration_key(job_id), folder.attachment)
        await self._offer(cues_key(job_id), folder.cues)

    async def withdraw_attachment(self, job_id: str) -> None:
        """Delete the copy of an attachment, because its order was not stored."""
        if self._store is not None:
            await self._store.delete((narration_key(job_id), cues_key(job_id)))

    async def fetch_attachment(self, job_id: str) -> None:
        """Put the job's attachment into its folder, if a process has kept it."""
        if self._store is not None:
            try:
                await self._workspace.reuse_narration(job_id, of=job_id)
            except FileNotFoundError:
                return

    async def begin_asking(self, job_id: str) -> bool:
        """Record that a paid voice service is about to get a job's text.

        Returns False if the voice was asked before.
        """
        if self._store is None:
            return True
        mark = (await self._workspace.create(job_id)).path / "asking"
        await asyncio.to_thread(mark.touch)
        return await self._store.put_once(asked_key(job_id), mark)

    async def forget(self, job_id: str) -> None:
        """Delete the copies, and this process's folder, of a job whose video is published or lost.

        The attachment is kept for later jobs.
        """
        if self._store is not None:
            await self._store.delete((shared_clip_key(job_id), asked_key(job_id)))
            await self._workspace.delete_folder(job_id)

    async def _offer(self, key: str, path: Path) -> None:
        if self._store is None or not await asyncio.to_thread(path.exists):
            return
        link = path.with_name(f"{path.name}.shared")
        await asyncio.to_thread(link_or_copy, path, link)
        await self._store.put(key, link)
