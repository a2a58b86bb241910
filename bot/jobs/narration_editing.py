"""Defines the media operations that the pipeline needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.artifacts import FinishedVideo
    from bot.media.mp4.reader import VideoInfo


class NarrationEditing(Protocol):
    """The media operations that the pipeline needs. `NarrationEditor` documents them."""

    async def ingest(self, job_id: str, url: str) -> None:
        """Download an attachment and make it the job's narration."""
        ...

    async def ingest_kept(self, job_id: str, *, of: str) -> None:
        """Use the attachment that was kept from another job as the narration."""
        ...

    async def ingest_given(self, job_id: str) -> None:
        """Use the attachment in the job's folder as the narration."""
        ...

    async def speak(self, job_id: str, text: str, *, locale: str | None = None) -> None:
        """Synthesise a text and make the speech the narration."""
        ...

    async def sound_end(self, job_id: str) -> float:
        """Return the time in seconds at which the last sound of the narration ends."""
        ...

    async def encode_ahead(self, job_id: str) -> None:
        """Encode the narration in advance, so that the merge is quick. Failures are logged."""
        ...

    async def finish(
        self,
        job_id: str,
        *,
        narrated: bool,
        clip_info: VideoInfo | None = None,
        replacing: bool = False,
        text: str | None = None,
    ) -> FinishedVideo:
        """Return the finished video, which is merged with the narration if `narrated`."""
        ...

    async def make_poster(self, job_id: str) -> None:
        """Make the poster of a video that is stored on another machine. Failures are logged."""
        ...
