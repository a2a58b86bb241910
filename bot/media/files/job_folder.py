"""JobFolder: the paths of a running job's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFolder:
    """The paths of a running job's files. The names are fixed, so none comes from outside."""

    path: Path

    @property
    def attachment(self) -> Path:
        """The narration as it was attached."""
        return self.path / "attachment"

    @property
    def narration(self) -> Path:
        """The narration, converted to WAV."""
        return self.path / "narration.wav"

    @property
    def encoded_narration(self) -> Path:
        """The narration, encoded for the merge before the clip is available."""
        return self.path / "narration.m4a"

    @property
    def cues(self) -> Path:
        """The words of the narration with their times, if they are known."""
        return self.path / "cues.json"

    @property
    def captions(self) -> Path:
        """The captions of the result."""
        return self.path / "captions.vtt"

    @property
    def voice(self) -> Path:
        """The narration as an MP3, which is sent with the create request."""
        return self.path / "voice.mp3"

    @property
    def clip(self) -> Path:
        """The video as the provider made it."""
        return self.path / "clip.mp4"

    @property
    def result(self) -> Path:
        """The video with the narration merged in."""
        return self.path / "result.mp4"
