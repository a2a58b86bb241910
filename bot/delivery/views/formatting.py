"""Formats prompts, durations, sizes and percentages for cards."""

from __future__ import annotations

import math
import re
import unicodedata

import discord

_BAR_CELLS = 16
_LONGEST_WORD = 24
_MINUTE = 60
# These are all characters of Discord's markup. discord.utils.escape_markdown escapes only the first
# of two links, and leaves URLs unescaped.
_MARKUP = re.compile(r"[\\*_~`|\[\]()#<>]|^[-+]")
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_JOINER, _VARIATION_SELECTORS = "\u200d", frozenset("\ufe0e\ufe0f")


def quoted(prompt: str, characters: int) -> str:
    """Return a prompt as one line of up to `characters` characters, without markup or mentions."""
    escaped = _MARKUP.sub(r"\\\g<0>", cut(prompt, characters))
    return discord.utils.escape_mentions(escaped)


def cut(text: str, characters: int) -> str:
    """Return a text as one line of at most `characters` characters.

    If a word ends near that limit, the text is cut at the end of the word.
    """
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    end = characters - 1
    space = line.rfind(" ", 0, end + 1)
    if space > 0 and space >= end - _LONGEST_WORD:
        end = space
    while end > 0 and _belongs_together(line[end - 1], line[end]):
        end -= 1
    return line[:end].rstrip(" ,;:-–—(") + "…"  # noqa: RUF001 - dashes as people type them


def cut_block(text: str, most: int) -> str:
    """Cut a multi-line text to `most` UTF-16 code units, without splitting a visible character."""
    if units(text) <= most:
        return text
    end = min(len(text), most) - 1
    while end > 0 and (units(text[:end]) >= most or _belongs_together(text[end - 1], text[end])):
        end -= 1
    return text[:end] + "…"


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units, as Discord counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def progress_bar(percent: int) -> str:
    """Draw a percentage as a bar. The bar is only full at 100."""
    full = percent * _BAR_CELLS // 100
    return "█" * full + "░" * (_BAR_CELLS - full)


def clock_time(seconds: float) -> str:
    """Format a duration as minutes and seconds, or as hours, minutes and seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours}:{minutes_left:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rough_time(seconds: float) -> tuple[str, int]:
    """Round a duration. Returns the locale key of the unit, and the number of units.

    Durations below a minute are rounded to a multiple of five seconds, those below five minutes to
    half minutes, and longer ones to whole minutes.
    """
    rounded = max(5, 5 * round(seconds / 5))
    if rounded < _MINUTE:
        return "duration.seconds", rounded
    halves = round(2 * seconds / _MINUTE)
    if halves % 2 and seconds < 5 * _MINUTE:
        return "duration.half_minutes", halves // 2
    return "duration.minutes", round(seconds / _MINUTE)


def megabytes(size: int) -> float:
    """Convert bytes to the unit that Discord calls MB, which is 1024 * 1024 bytes."""
    return size / (1024 * 1024)


def over_limit(size: int, limit: int) -> dict[str, float]:
    """Return the file size and the limit in MB, as the fields of a sentence.

    The size is rounded up and the limit is rounded down, so that the two always differ.
    """
    return {
        "size": math.ceil(10 * megabytes(size)) / 10,
        "limit": math.floor(10 * megabytes(limit)) / 10,
    }


def _belongs_together(before: str, after: str) -> bool:
    """Tell whether two code points are parts of one visible character."""
    return bool(
        unicodedata.combining(after)
        or after in _VARIATION_SELECTORS
        or after in _SKIN_TONES
        or _JOINER in (before, after)
    )


EXACT_PLACES = 20
"""Places in the queue up to this one are shown exactly. Later ones are rounded."""


def rounded_place(place: int) -> int:
    """Round up a place far back in the queue, so that few cards change when a job starts."""
    if place <= EXACT_PLACES:
        return place
    step = 10 if place <= 200 else 100  # noqa: PLR2004 - as many steps as exact places
    return -(-place // step) * step
