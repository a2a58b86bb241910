"""The video services of the proof, each with the clip that it makes of an order."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.media.process.ffmpeg import Ffmpeg
from bot.pacing import machine_clock
from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.server import Storyboard
from tests.support.media import clips
from tests.support.providers.gemini_api import GeminiApi
from tests.support.providers.openrouter_api import OpenRouterApi, model
from tests.support.providers.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.support.providers.video_stand_in import VideoStandIn

#: The price of a second, in the bot's settings and on OpenRouter's bill.
SECOND_DOLLARS = 0.1
_SIZE, _SMALL = "1280x720", "320x180"
_VEO, _SEEDANCE = "google/veo-3.1", "bytedance/seedance-2.5"
#: The lengths of Seedance 2.5 on OpenRouter.
_TO_THE_SECOND = tuple(range(4, 31))


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """An order as the service received it, with the clip that it made of it."""

    seconds: int
    clip: Path


class Service(ABC):
    """A running video service. `settings`: the bot's settings for it."""

    settings: dict[str, Any]

    @abstractmethod
    async def make(self) -> Ordered:
        """Wait for the next order, and make its clip."""


class _StandIn(Service):
    """A stand-in, whose clips move in every frame and are as long as ordered."""

    def __init__(
        self,
        api: VideoStandIn,
        folder: Path,
        settings: dict[str, Any],
        *,
        seconds_in: Callable[[dict[str, Any]], int],
    ) -> None:
        self.settings = {"video_size": _SIZE} | settings
        self._api = api
        self._folder = folder
        self._seconds_in = seconds_in
        self._made = 0

    async def make(self) -> Ordered:
        """Wait for the next order, and make its clip."""
        self._made += 1
        ref = await self._api.created(self._made)
        seconds = self._seconds_in(dict(self._api.made("POST")[-1].form))
        clip = await asyncio.to_thread(
            clips.make_clip, self._folder / f"{seconds}.mp4", seconds=seconds, size="96x54"
        )
        self._api.clips[ref] = clip
        if isinstance(self._api, OpenRouterApi):
            self._api.price = seconds * SECOND_DOLLARS
        self._api.finish(ref)
        return Ordered(seconds=seconds, clip=clip)


class _Renderer(Service):
    """The storyboard's own renderer, which reports over HTTP what was ordered."""

    def __init__(self, storyboard: Storyboard, http: aiohttp.ClientSession, folder: Path) -> None:
        self.settings = {
            "video_backend": "storyboard",
            "storyboard_url": storyboard.base_url,
            "video_size": _SMALL,
        }
        self._url = f"{storyboard.base_url}/videos"
        self._http = http
        self._folder = folder
        self._made = set[str]()

    async def make(self) -> Ordered:
        """Wait for the next order, and for its clip."""
        while not (new := await self._new_jobs()):  # noqa: ASYNC110 - only HTTP tells of them
            await asyncio.sleep(0.05)
        [job] = new
        self._made.add(job["id"])
        while job["status"] != "completed":
            assert job["status"] != "failed", job
            await asyncio.sleep(0.1)
            [job] = [each for each in await self._jobs() if each["id"] == job["id"]]
        clip = self._folder / f"{job['id']}.mp4"
        async with self._http.get(f"{self._url}/{job['id']}/content") as answer:
            content = await answer.read()
        await asyncio.to_thread(clip.write_bytes, content)
        return Ordered(seconds=int(job["seconds"]), clip=clip)

    async def _new_jobs(self) -> list[dict[str, Any]]:
        return [job for job in await self._jobs() if job["id"] not in self._made]

    async def _jobs(self) -> list[dict[str, Any]]:
        async with self._http.get(self._url) as answer:
            return (await answer.json())["data"]


@asynccontextmanager
async def _storyboard(folder: Path) -> AsyncGenerator[Service]:
    clock = machine_clock()
    storyboard = Storyboard(
        folder,
        ClipRenderer(Ffmpeg(clips.binary(), slots=1)),
        clock=clock,
        steady=clock.steady,
        webhook_url=None,
        webhook_secret=None,
    )
    await storyboard.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield _Renderer(storyboard, http, folder)
    finally:
        await storyboard.close()


@asynccontextmanager
async def _videos_api(folder: Path) -> AsyncGenerator[Service]:
    async with VideosApi() as api:
        settings = {
            "video_backend": "openai",
            "openai_base_url": api.base_url,
            "video_lengths": ",".join(map(str, api.lengths)),
        }
        yield _StandIn(api, folder, settings, seconds_in=lambda form: int(form["seconds"]))


@asynccontextmanager
async def _openrouter(folder: Path, *, name: str = _VEO) -> AsyncGenerator[Service]:
    async with OpenRouterApi() as api:
        api.models = [
            model(_VEO),
            model(_SEEDANCE, supported_durations=[*_TO_THE_SECOND]),
        ]
        settings = {
            "video_backend": "openrouter",
            "openrouter_base_url": api.base_url,
            "openrouter_api_key": "k",
            "video_model": name,
        }
        yield _StandIn(api, folder, settings, seconds_in=lambda form: form["duration"])


@asynccontextmanager
async def _seedance(folder: Path) -> AsyncGenerator[Service]:
    async with _openrouter(folder, name=_SEEDANCE) as service:
        yield service


@asynccontextmanager
async def _gemini(folder: Path) -> AsyncGenerator[Service]:
    async with GeminiApi() as api:
        settings = {
            "video_backend": "gemini",
            "gemini_base_url": api.base_url,
            "gemini_api_key": "k",
        }
        yield _StandIn(api, folder, settings, seconds_in=_gemini_seconds)


def _gemini_seconds(form: dict[str, Any]) -> int:
    return int(form["response_format"]["duration"].removesuffix("s"))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A service, and the lengths that it offers."""

    name: str
    lengths: tuple[int, ...]
    open: Callable[[Path], AbstractAsyncContextManager[Service]]


OFFERS = (
    Offer(name="storyboard", lengths=tuple(range(1, 61)), open=_storyboard),
    Offer(name="Videos API", lengths=(4, 8, 12), open=_videos_api),
    Offer(name="OpenRouter, Veo 3.1", lengths=(4, 6, 8), open=_openrouter),
    Offer(name="OpenRouter, Seedance 2.5", lengths=_TO_THE_SECOND, open=_seedance),
    Offer(name="Gemini", lengths=tuple(range(3, 16)), open=_gemini),
)
