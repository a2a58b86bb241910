"""The operator's presets for videos, and the checks of prompts and attachments."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.model import VideoRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PROMPT = 2000
_MIB = 1024 * 1024
# The first letters of the Unicode categories for letters, numbers, punctuation and symbols.
_VISIBLE_CATEGORIES = frozenset("LNPS")
# These characters are invisible although they are in one of these categories: the Hangul fillers,
# the blank Braille pattern, the placeholder of an embedded object, the null note head, and the
# blank hieroglyphs.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\ufffc\U0001d159\U00013441\U00013442")
# In these ranges, later Unicode versions will add emoji and Chinese characters.
_PICTOGRAPHS = range(0x1F000, 0x1FB00)
_IDEOGRAPHS = (range(0x20000, 0x2FFFE), range(0x30000, 0x3FFFE))


# A clip may be this much shorter than its narration. Its last frame is then held.
HELD_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipLengths:
    """The lengths of clips that may be ordered, in seconds.

    `usual`: the length of a clip without a narration.
    `longer`: the lengths above `usual` that the provider offers and the operator pays for, in
    ascending order.
    """

    usual: int
    longer: tuple[int, ...] = ()

    @classmethod
    def within(cls, usual: int, longest: int | None, offered: Iterable[int]) -> ClipLengths:
        """Return the lengths from `usual` to `longest` that the provider offers.

        `longest`: None if all clips have the usual length.
        """
        limit = usual if longest is None else longest
        return cls(usual=usual, longer=tuple(sorted({n for n in offered if usual < n <= limit})))

    @property
    def longest(self) -> int:
        """The longest clip that may be ordered."""
        return self.longer[-1] if self.longer else self.usual

    def for_sound(self, end: float) -> int:
        """Return the shortest clip for a narration whose last sound ends after `end` seconds.

        If no clip is long enough, the longest is returned.
        """
        fitting = (n for n in (self.usual, *self.longer) if end <= n + HELD_SECONDS)
        return next(fitting, self.longest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Presets:
    """The settings that the operator fixes for all videos. Requesters choose prompt and audio."""

    model: str | None
    seconds: int
    size: str
    max_audio_bytes: int

    def request(self, prompt: str) -> VideoRequest:
        """Return the request for a video with this prompt.

        Raises UserError if the prompt is invalid.
        """
        return VideoRequest(
            prompt=checked(prompt), model=self.model, seconds=self.seconds, size=self.size
        )

    def check_audio(self, size: int) -> None:
        """Raise UserError if an audio file of `size` bytes is too large."""
        if size > self.max_audio_bytes:
            raise UserError("audio.too_large", max_mb=self.max_audio_bytes // _MIB)


def checked(prompt: str) -> str:
    """Return the prompt without surrounding spaces.

    Raises UserError if the prompt is blank, too long, or not valid Unicode.
    """
    prompt = prompt.strip()
    if len(prompt) > MAX_PROMPT:
        raise UserError("prompt.too_long", limit=MAX_PROMPT)
    check_characters(prompt)
    if not any(map(is_visible, prompt)):
        raise UserError("prompt.empty")
    return prompt


def check_characters(text: str) -> None:
    """Raise UserError if a text contains surrogates, which are not valid characters.

    Invalid JSON escapes and bytes that are not UTF-8 turn into surrogates.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError("prompt.garbled")


def is_visible(character: str) -> bool:
    """Tell whether a character is visible by itself, unlike a space, mark or control character."""
    category = unicodedata.category(character)
    if category == "Cn":
        point = ord(character)
        return point in _PICTOGRAPHS or any(point in plane for plane in _IDEOGRAPHS)
    return category[0] in _VISIBLE_CATEGORIES and character not in _BLANK
