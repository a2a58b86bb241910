"""NarrationEditor: prepares narrations, merges them with clips, and makes smaller copies."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from bot.artifacts import FinishedVideo
from bot.errors import FileStoreError, MediaError, UserError
from bot.media.captions.captioner import caption_narration, write_captions
from bot.media.files.shared_work import SharedWork
from bot.media.mp4.playable import repair_for
from bot.media.mp4.reader import read_mp4
from bot.media.narration.ingest import ingest, read_narration
from bot.media.render.convert import convert
from bot.media.render.encoded_narration import (
    encode_narration,
    encoded_seconds,
    may_be_copied,
)
from bot.media.render.merge_narration import merge, note_of, repair
from bot.media.render.narration_options import NarrationMix
from bot.media.render.poster_cache import PosterCache
from bot.media.render.shrink import TooLittleRoomError, shrink_video
from bot.speech.voice import as_speech_error, speak_once

if TYPE_CHECKING:
    from bot.media.files.download import AttachmentFetcher
    from bot.media.files.job_folder import JobFolder
    from bot.media.files.workspace import Workspace
    from bot.media.mp4.reader import VideoInfo
    from bot.media.narration.ingest import Narration
    from bot.media.process.ffmpeg import Ffmpeg
    from bot.media.render.narration_options import NarrationOptions
    from bot.speech.voices import Voices

log = logging.getLogger(__name__)


class NarrationEditor:
    """Processes the audio and video files in a job's folder. Every method is idempotent."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        background_ffmpeg: Ffmpeg,
        fetcher: AttachmentFetcher,
        workspace: Workspace,
        *,
        options: NarrationOptions,
        max_seconds: int,
        voices: Voices | None = None,
        shared: SharedWork | None = None,
    ) -> None:
        self._shared = shared or SharedWork(workspace)
        self._ffmpeg = ffmpeg
        self._background_ffmpeg = background_ffmpeg
        self._posters = PosterCache(background_ffmpeg, workspace)
        self._fetcher = fetcher
        self._workspace = workspace
        self._options = options
        self._max_seconds = max_seconds
        # A lock is garbage-collected once no task holds it or is waiting for it.
        self._shrinking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._voices = voices

    async def ingest(self, job_id: str, url: str) -> None:
        """Download an attachment, make it the job's narration, and keep it for later jobs.

        Raises UserError if the attachment is not usable audio, and MediaError if a retry may
        succeed.
        """
        folder = await self._workspace.create(job_id)
        if not await _is_ingested(folder):
            await self._fetcher.fetch(url, folder.attachment)
            await self._decode(folder)
        await self._workspace.keep_narration(job_id)

    async def ingest_kept(self, job_id: str, *, of: str) -> None:
        """Use the stored attachment of another job as the narration of this job.

        `of`: the id of the other job.

        Raises UserError if the attachment is no longer kept or is not usable audio, and MediaError
        if a retry may succeed.
        """
        folder = await self._workspace.create(job_id)
        if not await _is_ingested(folder):
            try:
                await self._workspace.reuse_narration(job_id, of=of)
            except FileNotFoundError as error:
                raise UserError("audio.not_kept") from error
            await self._decode(folder)
        await self._workspace.keep_narration(job_id)

    async def ingest_given(self, job_id: str) -> None:
        """Use the attachment that is already in the job's folder as the job's narration.

        Raises UserError if the attachment is missing or is not usable audio, and MediaError if a
        retry may succeed.
        """
        folder = await self._workspace.create(job_id)
        if not await _is_ingested(folder):
            if not await asyncio.to_thread(folder.attachment.exists):
                await self._shared.fetch_attachment(job_id)
            if not await asyncio.to_thread(folder.attachment.exists):
                raise UserError("audio.not_kept")
            await self._decode(folder)
        await self._workspace.keep_narration(job_id)

    async def speak(self, job_id: str, text: str, *, locale: str | None = None) -> None:
        """Synthesise a text, make the speech the job's narration, and keep it for later jobs.

        `locale`: the person's language, as Discord names it.
        If an earlier attempt has already synthesised the text, that speech is used.
        Raises UserError if the text can't be read aloud, and MediaError if a retry may succeed.
        """
        folder = await self._workspace.create(job_id)
        try:
            if not await _is_ingested(folder):
                await self._speak(job_id, text, folder, locale)
        except UserError as error:
            raise as_speech_error(error) from error
        await _caption(folder, text)
        await self._workspace.keep_narration(job_id)

    async def sound_end(self, job_id: str) -> float:
        """Return the time in seconds at which the last sound of the job's narration ends.

        Raises MediaError if there is no usable narration.
        """
        return (await _read_narration(self._workspace.folder(job_id))).audible_seconds

    async def encode_ahead(self, job_id: str) -> None:
        """Encode the job's narration while the provider makes the clip, and keep it for later jobs.

        If this fails, the merge encodes the narration itself.
        """
        folder = self._workspace.folder(job_id)
        try:
            narration = await read_narration(folder.narration)
            if narration is None or not may_be_copied(narration, self._options):
                return
            if not await asyncio.to_thread(encoded_seconds, narration):
                await encode_narration(self._ffmpeg, narration)
                await self._workspace.keep_narration(job_id)
        except (MediaError, OSError) as error:
            log.warning("narration.not_encoded id=%s reason=%r", job_id, str(error))

    async def finish(
        self,
        job_id: str,
        *,
        narrated: bool,
        clip_info: VideoInfo | None = None,
        replacing: bool = False,
        text: str | None = None,
    ) -> FinishedVideo:
        """Return a video that Discord can play: the clip, merged with the narration if `narrated`.

        `clip_info`: the clip's properties, if it is an MP4 and has just been read.
        `replacing`: whether the narration replaces the clip's own sound even if the settings would
        mix the two.
        `text`: the text from which the narration was synthesised, or None for a recording.
        Raises UnconvertedError if the clip can't be converted to MP4, and MediaError if ffmpeg
        fails.
        """
        folder = self._workspace.folder(job_id)
        # After a crash, the clip may be missing, because it has already become the finished video.
        if clip_info is None and await asyncio.to_thread(folder.clip.exists):
            await convert(self._ffmpeg, folder.clip)
        if not narrated:
            return await self._repair(folder, clip_info)
        mix = NarrationMix.REPLACE if replacing else self._options.mix
        if text is not None:
            await _caption(folder, text)  # missing in a narration from an earlier version
        return await self._narrate(folder, replace(self._options, mix=mix, spoken=text is not None))

    async def make_poster(self, job_id: str) -> None:
        """Make the poster of a published video, unless the video is kept on this machine.

        The poster of a video on this machine can be made at any time. For any other poster, the
        page of a shared video would have to fetch the video first.
        """
        if self._workspace.is_local(job_id):
            return
        try:
            await self._posters.make(job_id)
        except FileStoreError as error:  # it is made when it is first requested
            log.warning("poster.failed id=%s reason=%r", job_id, str(error))

    async def shrink(
        self, job_id: str, *, limit_bytes: int, decent: bool, in_background: bool = False
    ) -> None:
        """Make a copy of the job's finished video of at most `limit_bytes`, if possible.

        An existing copy that is small enough is reused. Calls for the same job run one after
        another.
        `decent`: whether to give up if the copy would look bad.
        `in_background`: whether to use the ffmpeg with low priority, which never makes a merge
        wait.
        """
        ffmpeg = self._background_ffmpeg if in_background else self._ffmpeg
        async with self._shrinking.setdefault(job_id, asyncio.Lock()):
            size = await self._workspace.copy_size(job_id, decent=decent)
            if size is None or size > limit_bytes:
                await self._shrink(ffmpeg, job_id, limit_bytes=limit_bytes, decent=decent)

    async def _shrink(self, ffmpeg: Ffmpeg, job_id: str, *, limit_bytes: int, decent: bool) -> None:
        video = await self._workspace.fetch_video(job_id)
        try:
            async with self._workspace.new_copy(job_id, decent=decent) as target:
                await shrink_video(ffmpeg, video, target, limit_bytes=limit_bytes, decent=decent)
        except TooLittleRoomError as error:
            log.info("shrink.no_room id=%s decent=%s reason=%r", job_id, decent, str(error))
        except MediaError as error:
            tail = error.stderr_tail[-500:]
            log.warning("shrink.failed id=%s reason=%r tail=%r", job_id, str(error), tail)

    async def _speak(self, job_id: str, text: str, folder: JobFolder, locale: str | None) -> None:
        if self._voices is None:
            raise UserError("speech.off")
        voice = await self._voices.choose(text, locale)
        is_spoken = await asyncio.to_thread(folder.attachment.exists)
        if voice.costs and not is_spoken and not await self._shared.begin_asking(job_id):
            # Another process has already sent this text to the voice. The speech is used if that
            # process has kept it.
            await self._shared.fetch_attachment(job_id)
            if not await asyncio.to_thread(folder.attachment.exists):
                raise UserError("speech.unsure")
        await speak_once(voice, text, folder.attachment)
        await self._decode(folder)

    async def _decode(self, folder: JobFolder) -> None:
        narration = await ingest(
            self._ffmpeg, folder.attachment, folder.narration, max_seconds=self._max_seconds
        )
        _check_audible(narration)

    async def _narrate(self, folder: JobFolder, options: NarrationOptions) -> FinishedVideo:
        narration = await _read_narration(folder)
        merged = await merge(self._ffmpeg, folder.clip, narration, folder.result, options)
        has_captions = await write_captions(folder.cues, folder.captions, seconds=merged.seconds)
        return FinishedVideo(
            path=folder.result,
            note=note_of(narration, merged),
            captions=folder.captions if has_captions else None,
        )

    async def _repair(self, folder: JobFolder, info: VideoInfo | None) -> FinishedVideo:
        if info is None:
            if not await asyncio.to_thread(folder.clip.exists):
                return FinishedVideo(path=folder.clip)
            info = await asyncio.to_thread(read_mp4, folder.clip)
        if not repair_for(info).is_needed:
            return FinishedVideo(path=folder.clip, frame=(info.width, info.height))
        await repair(self._ffmpeg, folder.clip, folder.result)
        return FinishedVideo(path=folder.result)


async def _caption(folder: JobFolder, text: str) -> None:
    """Find out when each sentence of the narration is spoken, unless that is known."""
    narration = await read_narration(folder.narration)
    if narration is not None:
        await caption_narration(narration, text, folder.cues)


async def _read_narration(folder: JobFolder) -> Narration:
    narration = await read_narration(folder.narration)
    if narration is None:
        raise MediaError("the narration is missing from the workspace")
    return narration


async def _is_ingested(folder: JobFolder) -> bool:
    """Return whether an earlier attempt at the step has already prepared the narration.

    Raises UserError if the narration is silent.
    """
    narration = await read_narration(folder.narration)
    if narration is not None:
        _check_audible(narration)
    return narration is not None


def _check_audible(narration: Narration) -> None:
    if narration.loudness is None:
        raise UserError("audio.silent")
