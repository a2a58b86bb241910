"""The operator's pause: orders are refused for a while, with the operator's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

#: The most characters of the operator's words.
MAX_WORDS = 300
#: The latest end of a pause, which is the last second that `datetime` can show.
MAX_UNTIL = 253_402_300_799

_DRAIN, _PAUSE = "drain", "pause"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A pause of orders. Jobs that exist continue.

    `until`: the Unix time at which it ends, or None until the operator ends it. `is_drain`: whether
    queued jobs wait as well, so that soon no job is at the provider.
    """

    words: str
    until: int | None = None
    is_drain: bool = False

    def lasts(self, now: float) -> bool:
        """Tell whether the pause has not ended."""
        return self.until is None or now < self.until

    def __str__(self) -> str:
        """Return the value of the setting: `pause:UNTIL:WORDS` or `drain:UNTIL:WORDS`."""
        return f"{_DRAIN if self.is_drain else _PAUSE}:{self.until or ''}:{self.words}"

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse a setting's value as a pause; ValueError: it is not one."""
        kind, until, words = value.split(":", 2)
        if kind not in {_DRAIN, _PAUSE} or not is_words(words):
            raise ValueError(value)
        return cls(words=words, until=_moment(until), is_drain=kind == _DRAIN)


def is_words(text: str) -> bool:
    """Tell whether a text can be shown to people: it is one line, and not too long."""
    return bool(text.strip()) and len(text) <= MAX_WORDS and text.isprintable()


def _moment(text: str) -> int | None:
    if not text:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_UNTIL))
    if not is_number or int(text) > MAX_UNTIL:
        raise ValueError(text)
    return int(text)
