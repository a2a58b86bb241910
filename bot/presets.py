"""The operator's presets, and the checks on prompts and attachments."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from bot.errors import UserError
from bot.model import VideoRequest

MAX_PROMPT = 2000
_MIB = 1024 * 1024
# The general categories of letters, numbers, punctuation and symbols.
_VISIBLE_CATEGORIES = frozenset("LNPS")
# Letters and symbols that are invisible: the Hangul fillers, the blank Braille pattern, the
# placeholder of an embedded object, the null note head, and the blanks among the hieroglyphs.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffc\U0001d159\U00013441\U00013442")
# Unicode reserves these ranges for emoji and Chinese characters that later versions add.
_PICTOGRAPHS = range(0x1F000, 0x1FB00)
_IDEOGRAPHS = (range(0x20000, 0x2FFFE), range(0x30000, 0x3FFFE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Presets:
    """Settings fixed by the operator. Requesters choose only the prompt and the audio."""

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
    """Return the stripped prompt; UserError: it is blank, too long or not valid text."""
    prompt = prompt.strip()
    if len(prompt) > MAX_PROMPT:
        raise UserError("prompt.too_long", limit=MAX_PROMPT)
    check_characters(prompt)
    if not any(map(is_visible, prompt)):
        raise UserError("prompt.empty")
    return prompt


def check_characters(text: str) -> None:
    """Raise UserError for surrogates, which come from lone JSON escapes or non-UTF-8 bytes."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError("prompt.garbled")


def is_visible(character: str) -> bool:
    """Return whether a character is visible by itself, unlike spaces, marks and control codes."""
    category = unicodedata.category(character)
    if category == "Cn":
        point = ord(character)
        return point in _PICTOGRAPHS or any(point in plane for plane in _IDEOGRAPHS)
    return category[0] in _VISIBLE_CATEGORIES and character not in _BLANK
