"""The ladder: a video as it is, else a smaller copy, else the next smaller one, else none."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import discord

from bot.delivery.card_edits import FileTooLargeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bot.artifacts import Artifact
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from bot.model import Origin
    from storage.upload_limits import UploadLimits

log = logging.getLogger(__name__)

_MIB = 1024 * 1024
# Whatever Discord announces, it takes no more than 100 MiB a request.
_CEILING = 95 * _MIB
_DM_BYTES = 20 * _MIB
# What Discord has ever taken as a file, somewhere.
_RUNGS = tuple(size * _MIB for size in (100, 50, 25, 20, 10, 8))
_UPLOADS = 3


class Shrinker(Protocol):
    """Makes copies of finished videos."""

    async def shrink(self, job_id: str, *, limit_bytes: int, decent: bool) -> None:
        """Make the copy that the workspace names, if it can be done, and `decent` well."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadTarget:
    """Where a file goes: server 0 stands for all DMs; `announced` is in bytes."""

    guild_id: int
    announced: int

    @classmethod
    def of_card(cls, origin: Origin) -> UploadTarget:
        """Return where a job's card is."""
        return cls(guild_id=origin.guild_id or 0, announced=origin.upload_limit)

    @classmethod
    def of_dm(cls, origin: Origin) -> UploadTarget:
        """Return where a job's DM goes: a server's boosts do not count there."""
        return cls(guild_id=0, announced=min(origin.upload_limit, _DM_BYTES))


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadFile:
    """A file to upload under `filename`; `note` names the sentence that goes with a copy."""

    path: Path
    filename: str
    size: int
    note: str | None = None

    def open(self) -> discord.File:
        """Open it anew: one that was uploaded, or half of it, would come out empty."""
        return discord.File(self.path, filename=self.filename)


class UploadFallback:
    """Finds what Discord takes, and remembers what it refused."""

    def __init__(
        self,
        *,
        limits: UploadLimits,
        shrinker: Shrinker,
        workspace: Workspace,
        links: Links,
        clock: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._shrinker = shrinker
        self._workspace = workspace
        self._links = links
        self._clock = clock

    async def limit(self, place: UploadTarget) -> int:
        """Tell how many bytes a file may have there."""
        learned = await self._limits.get(place.guild_id, now=self._clock())
        return min(place.announced, _CEILING, learned or _CEILING)

    async def upload(
        self,
        artifact: Artifact,
        place: UploadTarget,
        upload: Callable[[UploadFile], Awaitable[None]],
        before_shrinking: Callable[[], Awaitable[None]],
    ) -> bool:
        """Upload the video, or what can be made of it; False: that is too large too."""
        for _ in range(_UPLOADS):
            parcel = await self._pack(artifact, await self.limit(place), before_shrinking)
            if parcel is None:
                return False
            try:
                await upload(parcel)
            except FileTooLargeError:
                log.warning("delivery.too_large id=%s size=%d", artifact.job_id, parcel.size)
                if not await self._learn(place, parcel.size):
                    return False
            else:
                return True
        return False

    async def _learn(self, place: UploadTarget, refused: int) -> bool:
        lower = next((rung for rung in _RUNGS if rung < refused), None)
        if lower is None:
            return False
        log.info("delivery.limit_learned guild=%d bytes=%d", place.guild_id, lower)
        await self._limits.learn(place.guild_id, lower, now=self._clock())
        return True

    async def _pack(
        self, artifact: Artifact, limit: int, before_shrinking: Callable[[], Awaitable[None]]
    ) -> UploadFile | None:
        job_id = artifact.job_id
        if artifact.size <= limit:
            return _parcel(job_id, self._workspace.video(job_id), artifact.size)
        # Without a link to the original a bad copy is better than none.
        kinds = (True,) if self._links.possible else (True, False)
        for decent in kinds:
            if parcel := await self._copy(job_id, limit, decent=decent):
                return parcel  # made earlier, perhaps for another place
        await before_shrinking()
        for decent in kinds:
            await self._shrinker.shrink(job_id, limit_bytes=limit, decent=decent)
            if parcel := await self._copy(job_id, limit, decent=decent):
                return parcel
        return None

    async def _copy(self, job_id: str, limit: int, *, decent: bool) -> UploadFile | None:
        path = self._workspace.copy(job_id, decent=decent)
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
        except FileNotFoundError:
            return None
        note = "card.smaller" if decent else "card.much_smaller"
        return _parcel(job_id, path, size, note) if size <= limit else None


def _parcel(job_id: str, path: Path, size: int, note: str | None = None) -> UploadFile:
    return UploadFile(path=path, filename=f"clapper-{job_id[:8]}.mp4", size=size, note=note)
