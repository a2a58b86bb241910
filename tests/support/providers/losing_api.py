"""A Videos API server that loses the answers to creates, and whose clips tell whose they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.support.media import clips
from tests.support.providers.stand_in import abort, fields_of
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web


class LosingApi(VideosApi):
    """A server that makes each clip at once, and cuts the first create for some lengths.

    `lost`: the lengths whose first create is cut, and whether it arrives before that.
    `shows_seconds`: whether its answers and its list contain the length of a job.
    """

    def __init__(
        self, folder: Path, *, lost: dict[int, bool], shows_seconds: bool, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.lengths = tuple(range(1, 61))
        self.ordered: dict[str, int] = {}
        self._folder = folder
        self._lost = lost
        if not shows_seconds:
            self.shape = lambda job: {name: job[name] for name in job if name != "seconds"}

    async def _create(self, request: web.Request) -> web.StreamResponse:
        seconds = int((await fields_of(request))["seconds"])
        arrives = self._lost.pop(seconds, None)
        if arrives is False:
            abort(request)
        answer = await super()._create(request)
        await self._make_clip(self.creates[-1], seconds)
        if arrives is not None:
            abort(request)
        return answer

    def ref_in(self, video: bytes) -> str:
        """Return the job whose clip is in a video."""
        [ref] = [ref for ref in self.creates if ref.encode() in video]
        return ref

    async def _make_clip(self, ref: str, seconds: int) -> None:
        self.ordered[ref] = seconds
        clip = await asyncio.to_thread(
            clips.make_clip, self._folder / f"{ref}.mp4", seconds=0.2, size="32x32"
        )
        # A box that players skip.
        box = (8 + len(ref)).to_bytes(4, "big") + b"free" + ref.encode()
        await asyncio.to_thread(clip.write_bytes, clip.read_bytes() + box)
        self.clips[ref] = clip
        self.finish(ref)
