"""How prompts, durations and shares are written on a card."""

from __future__ import annotations

import re
import unicodedata

import discord

_BAR_CELLS = 16
_LONGEST_WORD = 24
_MINUTE = 60
# All that Discord's markup is made of, also inside of addresses: discord.py's own escaping stops at
# the first of two links, and before an address.
_MARKUP = re.compile(r"[\\*_~`|\[\]()#<>]|^[-+]")
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_JOINER, _STYLES = "\u200d", frozenset("\ufe0e\ufe0f")


def quoted(prompt: str, characters: int) -> str:
    """Return a prompt as one line without markup or mentions, cut to so many characters."""
    escaped = _MARKUP.sub(r"\\\g<0>", cut(prompt, characters))
    return discord.utils.escape_mentions(escaped)


def cut(text: str, characters: int) -> str:
    """Return a text as one line, cut at the end of a word where that is near."""
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
    """Return a text with its lines, of at most so many `units`; never half of a character."""
    if units(text) <= most:
        return text
    end = min(len(text), most) - 1
    while end > 0 and (units(text[:end]) >= most or _belongs_together(text[end - 1], text[end])):
        end -= 1
    return text[:end] + "…"


def units(text: str) -> int:
    """Count a text as Discord's clients do: what is beyond 16 bits, as emoji are, counts twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def progress_bar(percent: int) -> str:
    """Draw 0 to 100 as a row of cells, which is full at 100 only."""
    full = percent * _BAR_CELLS // 100
    return "█" * full + "░" * (_BAR_CELLS - full)


def clock_time(seconds: float) -> str:
    """Write a duration as minutes and seconds, from an hour on with hours."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours}:{minutes_left:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rough_time(seconds: float) -> tuple[str, int]:
    """Round a duration as people say it, and return the key of its words with their number.

    The steps are five seconds, from a minute on half a minute, and from five minutes on a minute.
    """
    rounded = max(5, 5 * round(seconds / 5))
    if rounded < _MINUTE:
        return "duration.seconds", rounded
    halves = round(2 * seconds / _MINUTE)
    if halves % 2 and seconds < 5 * _MINUTE:
        return "duration.half_minutes", halves // 2
    return "duration.minutes", round(seconds / _MINUTE)


def megabytes(size: int) -> float:
    """Turn bytes into what Discord calls MB, as it counts its limits."""
    return size / (1024 * 1024)


def _belongs_together(before: str, after: str) -> bool:
    """Tell whether a cut between two characters would break what is seen as one."""
    return bool(
        unicodedata.combining(after)
        or after in _STYLES
        or after in _SKIN_TONES
        or _JOINER in (before, after)
    )
