"""Accepts orders for clips, renders them in the order of arrival, and keeps them for a day."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.errors import ClapperError, MediaError
from bot.storyboard.clip_store import (
    Clip,
    ClipError,
    ClipOrder,
    ClipStatus,
    WebhookNotice,
    new_clip_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.storyboard.clip_store import ClipStore
    from bot.storyboard.webhook_sender import WebhookSender

log = logging.getLogger(__name__)

KEPT_SECONDS = 24 * 3600
"""A completed or failed clip is kept for this many seconds."""

# After a start, clips are kept for at least this many seconds, because the machine's clock may have
# been set.
_LEAST_KEPT_SECONDS = 3600
_SWEEP_SECONDS = 300
_DISK_RETRY_SECONDS = 5  # the pause after a clip could not be stored, such as on a full disk
_MAX_ATTEMPTS = 5
_MAX_KEPT = 500
_COMPLETED_PERCENT = 100


class Renderer(Protocol):
    """Renders clips."""

    async def render(
        self, order: ClipOrder, folder: Path, on_progress: Callable[[int], None]
    ) -> Path:
        """Render an order in `folder`, and return the file.

        Raises MediaError if the order can't be rendered.
        """
        ...


class BusyError(ClapperError):
    """Too many clips are queued or kept.

    `retry_after`: the seconds after which a retry makes sense.
    """

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class KeyReusedError(ClapperError):
    """An idempotency key was used again for a different order."""


class ClipService:
    """Renders the clips of a store, sends their webhooks, and deletes expired clips.

    `waiting`: the maximum number of queued clips.
    `renders`: the number of clips that are rendered at the same time.
    `steady`: a monotonic clock in seconds, so that clips expire on time even if the machine's clock
    is set.
    """

    def __init__(
        self,
        store: ClipStore,
        renderer: Renderer,
        webhook_sender: WebhookSender | None,
        *,
        clock: Callable[[], float],
        steady: Callable[[], float],
        waiting: int,
        renders: int,
    ) -> None:
        self._store = store
        self._renderer = renderer
        self._webhook_sender = webhook_sender
        self._clock = clock
        self._steady = steady
        self._expiries: dict[str, float] = {}
        self._waiting = waiting
        self._renders = renders
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._creating = asyncio.Lock()
        self._rendering: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Queue the clips that an earlier process did not finish, and start background tasks."""
        for clip in self._store.all():
            if clip.expires_at is not None:
                left = max(clip.expires_at - self._clock(), _LEAST_KEPT_SECONDS)
                self._expiries[clip.id] = self._steady() + min(left, KEPT_SECONDS)
            if not clip.is_finished:
                await self._store.update(replace(clip, status=ClipStatus.QUEUED))
                self._queue.put_nowait(clip.id)
        loops = [self._work() for _ in range(self._renders)]
        loops.append(self._keep_sweeping())
        if self._webhook_sender:
            loops.append(self._webhook_sender.run())
        self._tasks = [
            asyncio.create_task(loop, name=f"storyboard.{loop.__name__.strip('_')}")
            for loop in loops
        ]

    async def close(self) -> None:
        """Stop the background tasks. Unfinished clips are rendered again after the next start."""
        tasks = [*self._tasks, *self._rendering.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def create(self, order: ClipOrder, *, key: str | None) -> Clip:
        """Accept an order and return its clip.

        If the idempotency key was used before, its existing clip is returned.

        Raises BusyError if too many clips are queued or kept, and KeyReusedError if the key belongs
        to a different order.
        """
        async with self._creating:
            if key is not None and (known := self._store.find_key(key)):
                if known.order != order:
                    raise KeyReusedError("This idempotency key was used with other parameters.")
                return known
            self._check_limits()
            clip = Clip(
                id=new_clip_id(),
                sequence=self._store.next_sequence(),
                order=order,
                status=ClipStatus.QUEUED,
                created_at=self._clock(),
                idempotency_key=key,
            )
            await self._store.add(clip)
        self._queue.put_nowait(clip.id)
        log.info("storyboard.queued id=%s seconds=%d size=%s", clip.id, order.seconds, order.size)
        return clip

    def _check_limits(self) -> None:
        clips = self._store.all()
        if sum(clip.status == ClipStatus.QUEUED for clip in clips) >= self._waiting:
            raise BusyError("Too many clips are waiting to be rendered.", retry_after=5)
        if len(clips) >= _MAX_KEPT:
            raise BusyError("Too many clips are kept: delete some.", retry_after=_SWEEP_SECONDS)

    def get(self, clip_id: str) -> Clip | None:
        """Return a clip, or None if it doesn't exist or has expired."""
        clip = self._store.get(clip_id)
        return None if clip is None or self._is_expired(clip) else clip

    def list(self) -> list[Clip]:
        """Return all clips that have not expired, oldest first."""
        return [clip for clip in self._store.all() if not self._is_expired(clip)]

    def video(self, clip: Clip) -> Path:
        """Return the path of the video of a completed clip."""
        return self._store.video(clip.id)

    def progress(self, clip: Clip) -> int:
        """Return the progress of rendering a clip, in percent."""
        return (
            _COMPLETED_PERCENT
            if clip.status == ClipStatus.COMPLETED
            else self._progress.get(clip.id, 0)
        )

    async def delete(self, clip_id: str) -> bool:
        """Delete a clip in any state, and stop rendering it.

        Returns False if the clip doesn't exist.
        """
        if self.get(clip_id) is None:
            return False
        if task := self._rendering.get(clip_id):
            task.cancel()
            await asyncio.wait({task})
        if self._store.get(clip_id) is None:
            return False
        await self._remove(clip_id)
        log.info("storyboard.deleted id=%s", clip_id)
        return True

    async def sweep(self) -> None:
        """Delete expired clips."""
        for clip in self._store.all():
            if self._is_expired(clip):
                await self._remove(clip.id)

    async def _remove(self, clip_id: str) -> None:
        self._expiries.pop(clip_id, None)
        await self._store.remove(clip_id)

    def _is_expired(self, clip: Clip) -> bool:
        return clip.id in self._expiries and self._expiries[clip.id] <= self._steady()

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                await self.sweep()
            except OSError:
                log.exception("storyboard.unswept")

    async def _work(self) -> None:
        while True:
            clip = self._store.get(await self._queue.get())
            if clip is None or clip.is_finished:
                continue
            task = asyncio.create_task(self._process(clip), name=f"storyboard.{clip.id}")
            self._rendering[clip.id] = task
            await asyncio.wait({task})
            del self._rendering[clip.id]
            self._progress.pop(clip.id, None)
            if not task.cancelled() and (error := task.exception()):
                log.error("storyboard.unstored id=%s", clip.id, exc_info=error)
                await asyncio.sleep(_DISK_RETRY_SECONDS)
                self._queue.put_nowait(clip.id)

    async def _process(self, clip: Clip) -> None:
        """Render one clip, and store the result.

        If an error occurs, the clip fails, but the worker continues.
        """
        clip = replace(clip, status=ClipStatus.IN_PROGRESS, attempts=clip.attempts + 1)
        if not await self._store.update(clip):
            return
        fault = await self._try_render(clip)
        now = self._clock()
        finished = replace(
            clip,
            status=ClipStatus.FAILED if fault else ClipStatus.COMPLETED,
            fault=fault,
            completed_at=None if fault else now,
            expires_at=now + KEPT_SECONDS,
            notice=self._new_notice(now),
        )
        if not await self._store.update(finished):
            return
        self._expiries[clip.id] = self._steady() + KEPT_SECONDS
        if self._webhook_sender:
            self._webhook_sender.wake()

    async def _try_render(self, clip: Clip) -> ClipError | None:
        if clip.attempts > _MAX_ATTEMPTS:
            return ClipError(
                code="render_interrupted", message="Rendering was interrupted too often."
            )
        try:
            await self._render(clip)
        except MediaError as error:
            log.warning("storyboard.failed id=%s error=%s\n%s", clip.id, error, error.stderr_tail)
            return ClipError(code="render_failed", message="The renderer could not make this clip.")
        except Exception:  # a bug in one clip must not stop the others
            log.exception("storyboard.crashed id=%s", clip.id)
            return ClipError(code="server_error", message="The renderer has an internal error.")
        return None

    async def _render(self, clip: Clip) -> None:
        started = self._clock()
        folder = await self._store.create_work_folder(clip.id)
        try:
            video = await self._renderer.render(
                clip.order, folder, lambda percent: self._set_progress(clip.id, percent)
            )
            await self._store.store_video(clip.id, video)
        finally:
            await self._store.remove_work_folder(clip.id)
        log.info("storyboard.rendered id=%s seconds=%.1f", clip.id, self._clock() - started)

    def _set_progress(self, clip_id: str, percent: int) -> None:
        self._progress[clip_id] = max(percent, self._progress.get(clip_id, 0))

    def _new_notice(self, now: float) -> WebhookNotice | None:
        if self._webhook_sender is None:
            return None
        return WebhookNotice(event_id=f"evt_{secrets.token_hex(16)}", attempts=0, due_at=now)
