"""A voice that is ordered from a service, and the measured result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.model import JobState
from tests.proofs.length.services import SECOND_DOLLARS
from tests.support.media import clips, measurements
from tests.support.running_engine import running_engine, upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from pathlib import Path

    from bot.model import Job
    from bot.runtime.engine import Engine
    from tests.proofs.length.services import Offer, Ordered, Service

_USUAL = 4
_SECOND = round(SECOND_DOLLARS * 1e6)
_HELD_SECONDS = 0.5
_FRAME_SECONDS = 1 / 25
_LENGTH_ERROR = 0.1
_WITHIN_SECONDS = 240.0
_SOUND = "0.4*sin(2*PI*150*t+3*sin(2*PI*3*t))*(0.55+0.45*sin(2*PI*4*t))"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A voice that is ordered from a service. `most`: the value of VIDEO_SECONDS_MAX."""

    offer: Offer
    most: int
    voice: float

    @property
    def longest(self) -> int:
        return max(n for n in self.offer.lengths if n <= self.most)

    @property
    def expected(self) -> int:
        """The shortest clip that holds the voice but for half a second, or the longest."""
        allowed = [n for n in self.offer.lengths if _USUAL <= n <= self.most]
        return min((n for n in allowed if n >= self.voice - _HELD_SECONDS), default=self.longest)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a case. `reserved` and `settled` are in seconds of video.

    `seconds`: the length of the delivered file. `standing`: for how long its picture stands still
    at the end. `clip_standing`: the same of the clip as the service made it.
    """

    case: Case
    ordered: int
    reserved: float
    settled: float
    seconds: float
    standing: float
    clip_standing: float

    def faults(self) -> Iterator[str]:
        """Yield a sentence for each rule that is broken."""
        case = self.case
        if self.ordered != case.expected:
            yield f"ordered {self.ordered} s instead of {case.expected} s"
        if self.reserved != case.longest:
            yield f"reserved {self.reserved:g} s instead of {case.longest} s"
        if self.settled != self.ordered:
            yield f"settled {self.settled:g} s instead of {self.ordered} s"
        if abs(self.seconds - max(self.ordered, case.voice)) > _LENGTH_ERROR:
            yield f"lasts {self.seconds:.2f} s"
        held = max(case.voice - self.ordered, 0.0) + self.clip_standing
        if abs(self.standing - held) > _FRAME_SECONDS:
            yield f"the picture stands for {self.standing:.2f} s instead of {held:.2f} s"
        if case.voice <= case.longest and self.standing > _HELD_SECONDS + _FRAME_SECONDS:
            yield "ends in a frozen picture"

    def __str__(self) -> str:
        case, faults = self.case, "; ".join(self.faults())
        return (
            f"{case.offer.name:25} {case.most:4} {case.voice:6.1f} {self.ordered:8} "
            f"{self.reserved:9.0f} {self.settled:8.0f} {self.seconds:9.2f} {self.standing:9.2f}"
            f"{'   <- WRONG: ' + faults if faults else ''}"
        )


async def prove(
    offer: Offer, most: int, voices: Iterable[float], root: Path
) -> AsyncIterator[Outcome]:
    """Order videos for these voices, one after the other, and yield what was measured."""
    folder = root / f"{offer.name} {most}"
    folder.mkdir()
    async with (
        offer.open(folder) as service,
        running_engine(
            folder / "data",
            video_seconds=_USUAL,
            video_seconds_max=most,
            price_per_second=SECOND_DOLLARS,
            max_audio_seconds=600,
            **service.settings,
        ) as engine,
    ):
        for voice in voices:
            case = Case(offer=offer, most=most, voice=voice)
            async with asyncio.timeout(_WITHIN_SECONDS):
                yield await _order(case, engine, service, root)


async def _order(case: Case, engine: Engine, service: Service, folder: Path) -> Outcome:
    audio = folder / f"{case.voice:g}.ogg"
    await asyncio.to_thread(clips.make_sound, audio, _SOUND, seconds=case.voice)
    prompt = f"A paper boat on a river, for {case.voice:g} seconds"
    job = await engine.clients.submit("proof", prompt, await upload(engine, audio))
    making = asyncio.create_task(service.make(), name="the service")
    ended = await engine.clients.wait(job)
    assert ended.state is JobState.SUCCEEDED, (case, ended.error)
    return await _measure(case, engine, ended, await making)


async def _measure(case: Case, engine: Engine, job: Job, made: Ordered) -> Outcome:
    rows = await engine.resources.database.rows(
        "SELECT kind, amount FROM ledger WHERE job_id = :id ORDER BY id", {"id": job.id}
    )
    kinds = [row["kind"] for row in rows]
    assert (kinds[0], kinds[-1], kinds.count("settled")) == ("reserved", "settled", 1), kinds
    video = await engine.clients.fetch_video(job)
    return Outcome(
        case=case,
        ordered=made.seconds,
        reserved=rows[0]["amount"] / _SECOND,
        settled=sum(row["amount"] for row in rows) / _SECOND,
        seconds=await asyncio.to_thread(measurements.seconds_of, video),
        standing=await asyncio.to_thread(measurements.standing_seconds, video),
        clip_standing=await asyncio.to_thread(measurements.standing_seconds, made.clip),
    )
