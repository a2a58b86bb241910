"""A voice and a media editor that remember their work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from bot.artifacts import FinishedVideo
from bot.errors import MediaError, UserError
from bot.jobs.guiding.sounds import EncodedVoice
from bot.media.captions.captioner import write_captions
from bot.media.captions.cues import Cue, write_cues

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.files.workspace import Workspace
    from bot.media.mp4.reader import VideoInfo
    from bot.model import Job


@dataclass
class FakeVoice:
    """A voice that returns the same audio for every text.

    `sound`: that audio.
    `spoken`: the texts that were paid for.
    """

    sound: bytes
    costs: bool = True
    name: str = "fake"
    spoken: list[str] = field(default_factory=list[str])
    faults: list[Exception] = field(default_factory=list[Exception])
    answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answer.set()

    async def speak(self, text: str, target: Path) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.spoken.append(text)
        await self.answer.wait()
        await asyncio.to_thread(target.write_bytes, self.sound)


@dataclass
class FakeVoiceEncoder:
    """An encoder whose MP3 of a narration is the attachment itself."""

    workspace: Workspace
    faults: list[Exception] = field(default_factory=list[Exception])

    async def encode(self, job: Job) -> EncodedVoice:
        if self.faults:
            raise self.faults.pop(0)
        folder = self.workspace.folder(job.id)
        sound = await asyncio.to_thread(self.workspace.narration(job.id).read_bytes)
        await asyncio.to_thread(folder.voice.write_bytes, sound)
        return EncodedVoice(path=folder.voice, size=len(sound), digest=sha256(sound).hexdigest())


@dataclass
class FakeEditor:
    """The media editor, with the narrations that it ingested and the results that it wrote.

    `sound_ends`: the times at which the narrations of jobs end, by job id.
    `works`: a merge waits until this is set.
    `clip_infos`: the properties of clips that were known before the merge, by job id.
    `least`: the smallest size of a copy, for decent and for poor quality. Copies fill their limit.
    """

    workspace: Workspace
    note: str | None = None
    faults: list[Exception] = field(default_factory=list[Exception])
    ingested: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    spoken: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    locales: list[str | None] = field(default_factory=list["str | None"])
    replaced: list[str] = field(default_factory=list[str])
    machine_spoken: list[str] = field(default_factory=list[str])
    least: dict[bool, int] = field(default_factory=dict[bool, int])
    shrunk: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])
    in_background: list[bool] = field(default_factory=list[bool])
    sound_ends: dict[str, float] = field(default_factory=dict[str, float])
    usual_sound_end: float = 1.0
    with_poster: list[str] = field(default_factory=list[str])
    clip_infos: dict[str, VideoInfo | None] = field(default_factory=dict[str, "VideoInfo | None"])
    works: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.works.set()

    async def ingest(self, job_id: str, url: str) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        await asyncio.to_thread(folder.narration.write_bytes, b"voice")
        await asyncio.to_thread(folder.attachment.write_bytes, url.encode())
        await self.workspace.keep_narration(job_id)
        self.ingested.append((job_id, url))

    async def ingest_kept(self, job_id: str, *, of: str) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        if not folder.narration.exists():
            try:
                await self.workspace.reuse_narration(job_id, of=of)
            except FileNotFoundError as error:
                raise UserError("audio.not_kept") from error
            await asyncio.to_thread(folder.narration.write_bytes, b"voice")
        await self.workspace.keep_narration(job_id)

    async def ingest_given(self, job_id: str) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        content = await asyncio.to_thread(folder.attachment.read_bytes)
        await asyncio.to_thread(folder.narration.write_bytes, b"voice")
        await self.workspace.keep_narration(job_id)
        self.ingested.append((job_id, content.decode(errors="replace")))

    async def speak(self, job_id: str, text: str, *, locale: str | None = None) -> None:
        self._fail()
        folder = await self.workspace.create(job_id)
        if not folder.narration.exists():
            await asyncio.to_thread(folder.narration.write_bytes, b"voice")
            if not folder.attachment.exists():
                await asyncio.to_thread(folder.attachment.write_bytes, text.encode())
                self.spoken.append((job_id, text))
                self.locales.append(locale)
                await asyncio.to_thread(write_cues, folder.cues, [Cue(start=0, end=1, text=text)])
        await self.workspace.keep_narration(job_id)

    async def sound_end(self, job_id: str) -> float:
        assert self.workspace.folder(job_id).narration.exists()
        return self.sound_ends.get(job_id, self.usual_sound_end)

    async def encode_ahead(self, job_id: str) -> None:
        folder = self.workspace.folder(job_id)
        with suppress(FileNotFoundError):  # the job has ended
            await asyncio.to_thread(folder.encoded_narration.write_bytes, b"encoded voice")
            await self.workspace.keep_narration(job_id)

    async def finish(
        self,
        job_id: str,
        *,
        narrated: bool,
        clip_info: VideoInfo | None = None,
        replacing: bool = False,
        text: str | None = None,
    ) -> FinishedVideo:
        self._fail()
        if replacing:
            self.replaced.append(job_id)
        if text is not None:
            self.machine_spoken.append(job_id)
        folder = self.workspace.folder(job_id)
        self.clip_infos[job_id] = clip_info
        if not narrated:
            return FinishedVideo(path=folder.clip)
        if not folder.narration.exists():
            raise MediaError("no narration")
        await self.works.wait()
        clip = await asyncio.to_thread(folder.clip.read_bytes)
        await asyncio.to_thread(folder.result.write_bytes, clip + b" with voice")
        has_captions = await write_captions(folder.cues, folder.captions, seconds=60)
        return FinishedVideo(
            path=folder.result,
            note=self.note,
            captions=folder.captions if has_captions else None,
        )

    async def make_poster(self, job_id: str) -> None:
        self.with_poster.append(job_id)

    async def shrink(
        self, job_id: str, *, limit_bytes: int, decent: bool, in_background: bool = False
    ) -> None:
        self._fail()
        self.in_background.append(in_background)
        self.shrunk.append((limit_bytes, decent))
        if self.least.get(decent, limit_bytes + 1) <= limit_bytes:
            async with self.workspace.new_copy(job_id, decent=decent) as copy:
                await asyncio.to_thread(copy.write_bytes, bytes(limit_bytes))

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)
