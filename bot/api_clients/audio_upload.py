"""AudioUpload: a narration that an API client has sent ahead of its job."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Attachment


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioUpload:
    """A narration that was uploaded for a job that doesn't exist yet.

    `job_id`: the id that the job will have. `size` is in bytes, and `sha256` in hex.
    `sends_voice`: whether the client agrees that the video service hears the narration.
    """

    job_id: str
    filename: str
    size: int
    sha256: str
    sends_voice: bool = False

    @property
    def attachment(self) -> Attachment:
        """The narration as it is stored with its job."""
        return Attachment(url=None, filename=self.filename, size=self.size)
