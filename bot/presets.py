"""Presets: what the operator locked, and what a prompt has to be."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import UserError
from bot.model import VideoRequest

MAX_PROMPT = 2000
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Presets:
    """What the operator locked: people choose the prompt and the audio, and nothing else."""

    model: str | None
    seconds: int
    size: str
    max_audio_bytes: int

    def request(self, prompt: str) -> VideoRequest:
        """Return the request for a prompt; UserError: the prompt won't do."""
        return VideoRequest(
            prompt=checked(prompt), model=self.model, seconds=self.seconds, size=self.size
        )

    def check_audio(self, size: int) -> None:
        """UserError: an attachment of `size` bytes is too large."""
        if size > self.max_audio_bytes:
            raise UserError("audio.too_large", max_mb=self.max_audio_bytes // _MIB)


def checked(prompt: str) -> str:
    """Return the prompt as it is stored; UserError: it is empty, too long, or not all text."""
    prompt = prompt.strip()
    if not prompt:
        raise UserError("prompt.empty")
    if len(prompt) > MAX_PROMPT:
        raise UserError("prompt.too_long", limit=MAX_PROMPT)
    check_characters(prompt)
    return prompt


def check_characters(text: str) -> None:
    """UserError: JSON brought half of a character, or a command line bytes that are no text."""
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise UserError("prompt.garbled")
