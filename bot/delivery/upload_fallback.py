"""Uploads a video or, if Discord refuses its size, a smaller copy."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import discord

from bot.delivery.card_edits import FileTooLargeError
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bot.artifacts import Artifact
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from bot.model import Origin
    from storage.delivery.upload_limits import UploadLimits

log = logging.getLogger(__name__)

_MIB = 1024 * 1024
# Discord accepts at most 100 MiB per request, even where it announces a higher limit. 95 MiB leaves
# a margin of 5 %.
_CEILING = 95 * _MIB
_DM_BYTES = 20 * _MIB
# The file size limits that Discord uses or has used.
_KNOWN_LIMITS = tuple(size * _MIB for size in (100, 50, 25, 20, 10, 8))
_MAX_UPLOADS = 3
_COPY_RETRY_SECONDS = 15.0


class Shrinker(Protocol):
    """Makes smaller copies of finished videos."""

    async def shrink(
        self, job_id: str, *, limit_bytes: int, decent: bool, in_background: bool = False
    ) -> None:
        """Write a copy of at most `limit_bytes` to the workspace, or none if that is impossible.

        `decent`: whether to write the copy only if its quality is acceptable.
        `in_background`: whether to give other processes priority over making the copy.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadTarget:
    """A server or a DM to upload to, with the file size limit that Discord announced for it.

    `guild_id` is 0 for DMs. `announced` is the limit in bytes.
    """

    guild_id: int
    announced: int

    @classmethod
    def of_card(cls, origin: Origin) -> UploadTarget:
        """Return the target for uploads to a job's card."""
        return cls(guild_id=origin.guild_id or 0, announced=origin.upload_limit)

    @classmethod
    def of_dm(cls, origin: Origin) -> UploadTarget:
        """Return the target for uploads to a job's DM. Server boosts don't raise its limit."""
        return cls(guild_id=0, announced=min(origin.upload_limit, _DM_BYTES))


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadFile:
    """A file to upload as `filename`.

    `note`: the locale key of the sentence that says that the file is a smaller copy, or None if the
    file is the original.
    """

    path: Path
    filename: str
    size: int
    note: str | None = None

    def open(self) -> discord.File:
        """Open the file.

        Each upload needs a new `discord.File`, since a used one would send 0 bytes.
        """
        return discord.File(self.path, filename=self.filename)


class UploadFallback:
    """Uploads a file that Discord accepts, and remembers the sizes that Discord refused.

    `most_copies`: the number of uploads that may wait for a smaller copy at the same time. Making a
    copy takes minutes.
    """

    def __init__(
        self,
        *,
        limits: UploadLimits,
        shrinker: Shrinker,
        workspace: Workspace,
        links: Links,
        clock: Callable[[], float],
        most_copies: int | None = None,
    ) -> None:
        self._limits = limits
        self._shrinker = shrinker
        self._workspace = workspace
        self._links = links
        self._clock = clock
        self._most_copies = most_copies
        self._copies = 0

    async def limit(self, target: UploadTarget) -> int:
        """Return the largest file size that `target` accepts, in bytes."""
        learned = await self._limits.get(target.guild_id, now=self._clock())
        return min(target.announced, _CEILING, learned or _CEILING)

    async def upload(
        self,
        artifact: Artifact,
        target: UploadTarget,
        upload: Callable[[UploadFile], Awaitable[None]],
        before_shrinking: Callable[[], Awaitable[None]],
    ) -> bool:
        """Upload the video, or a smaller copy if Discord refuses the video's size.

        `before_shrinking` is called before a new copy is made.

        Returns False if no copy is small enough. Raises DeliveryError if too many uploads already
        wait for copies.
        """
        for _ in range(_MAX_UPLOADS):
            file = await self._choose_file(artifact, await self.limit(target), before_shrinking)
            if file is None:
                return False
            try:
                await upload(file)
            except FileTooLargeError:
                log.warning("delivery.too_large id=%s size=%d", artifact.job_id, file.size)
                if not await self.learn(target, file.size):
                    return False
            else:
                return True
        return False

    async def upload_at_once(
        self,
        artifact: Artifact,
        target: UploadTarget,
        upload: Callable[[UploadFile], Awaitable[None]],
    ) -> bool:
        """Upload the video or, if it is too large, an existing smaller copy.

        Returns False if there is no small enough file, or if Discord refuses the file as too large.
        """
        limit = await self.limit(target)
        file = await (
            self._original(artifact)
            if artifact.size <= limit
            else self._find_copy(artifact.job_id, limit, decent=True)
        )
        if file is None:
            return False
        try:
            await upload(file)
        except FileTooLargeError:
            log.warning("delivery.too_large id=%s size=%d", artifact.job_id, file.size)
            await self.learn(target, file.size)
            return False
        return True

    async def make_copy(self, artifact: Artifact, target: UploadTarget) -> UploadFile | None:
        """Make a copy of acceptable quality in the background.

        Returns None if no such copy is small enough.
        """
        limit = await self.limit(target)
        copy = await self._find_copy(artifact.job_id, limit, decent=True)
        if copy is None:
            await self._shrinker.shrink(
                artifact.job_id, limit_bytes=limit, decent=True, in_background=True
            )
            copy = await self._find_copy(artifact.job_id, limit, decent=True)
        return copy

    async def learn(self, target: UploadTarget, refused: int) -> bool:
        """Record that Discord refuses files of this size, and assume the next lower known limit.

        Returns False if there is no lower limit.
        """
        lower = next((limit for limit in _KNOWN_LIMITS if limit < refused), None)
        if lower is None:
            return False
        log.info("delivery.limit_learned guild=%d bytes=%d", target.guild_id, lower)
        await self._limits.save(target.guild_id, lower, now=self._clock())
        return True

    async def _choose_file(
        self, artifact: Artifact, limit: int, before_shrinking: Callable[[], Awaitable[None]]
    ) -> UploadFile | None:
        job_id = artifact.job_id
        if artifact.size <= limit:
            return await self._original(artifact)
        # Without links, there is no other way to show the video. A bad copy is then better than
        # none.
        qualities = (True,) if self._links.enabled else (True, False)
        for decent in qualities:
            if file := await self._find_copy(job_id, limit, decent=decent):
                return file  # made earlier, perhaps for another target
        if self._most_copies is not None and self._copies >= self._most_copies:
            raise DeliveryError("other copies are made first", retry_after=_COPY_RETRY_SECONDS)
        self._copies += 1
        try:
            await before_shrinking()
            for decent in qualities:
                await self._shrinker.shrink(job_id, limit_bytes=limit, decent=decent)
                if file := await self._find_copy(job_id, limit, decent=decent):
                    return file
        finally:
            self._copies -= 1
        return None

    async def _find_copy(self, job_id: str, limit: int, *, decent: bool) -> UploadFile | None:
        size = await self._workspace.copy_size(job_id, decent=decent)
        if size is None or size > limit:
            return None
        path = await self._workspace.fetch_copy(job_id, decent=decent)
        return _upload_file(job_id, path, size, "card.smaller" if decent else "card.much_smaller")

    async def _original(self, artifact: Artifact) -> UploadFile:
        path = await self._workspace.fetch_video(artifact.job_id)
        return _upload_file(artifact.job_id, path, artifact.size)


def _upload_file(job_id: str, path: Path, size: int, note: str | None = None) -> UploadFile:
    return UploadFile(path=path, filename=f"clapper-{job_id[:8]}.mp4", size=size, note=note)
