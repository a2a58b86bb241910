"""The operator's presets, and the checks on prompts and attachments."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import UserError
from bot.model import VideoRequest

MAX_PROMPT = 2000
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Presets:
    """Settings fixed by the operator; requesters choose only the prompt and the audio."""

    model: str | None
    seconds: int
    size: str
    max_audio_bytes: int

    def request(self, prompt: str) -> VideoRequest:
        """Return the request for a prompt; raise UserError if the prompt is invalid."""
        return VideoRequest(
            prompt=checked(prompt), model=self.model, seconds=self.seconds, size=self.size
        )

    def check_audio(self, size: int) -> None:
        """Raise UserError if an attachment of `size` bytes is too large."""
        if size > self.max_audio_bytes:
            raise UserError("audio.too_large", max_mb=self.max_audio_bytes // _MIB)


def checked(prompt: str) -> str:
    """Return the stripped prompt; raise UserError if it is empty, too long or not valid text."""
    prompt = prompt.strip()
    if not prompt:
        raise UserError("prompt.empty")
    if len(prompt) > MAX_PROMPT:
        raise UserError("prompt.too_long", limit=MAX_PROMPT)
    check_characters(prompt)
    return prompt


def check_characters(text: str) -> None:
    """Raise UserError for surrogates, which come from lone JSON escapes or non-UTF-8 bytes."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError("prompt.garbled")
