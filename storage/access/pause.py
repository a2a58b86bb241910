"""The operator's pause, during which orders are refused with a message from the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

#: The maximum length of the operator's message, in characters.
MAX_WORDS = 300
#: The latest end of a pause, which is the last second that `datetime` can show.
MAX_UNTIL = 253_402_300_799

_DRAIN, _PAUSE = "drain", "pause"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A pause, during which no new orders are accepted. Existing jobs continue.

    `words`: the operator's message to people who try to order.
    `until`: the Unix time at which the pause ends, or None if it lasts until the operator ends it.
    `is_drain`: whether queued jobs wait too. The provider then soon has no job left to finish.
    """

    words: str
    until: int | None = None
    is_drain: bool = False

    def lasts(self, now: float) -> bool:
        """Return whether the pause is still in effect at the Unix time `now`."""
        return self.until is None or now < self.until

    def __str__(self) -> str:
        """Return the pause as it is stored: `pause:UNTIL:WORDS` or `drain:UNTIL:WORDS`."""
        return f"{_DRAIN if self.is_drain else _PAUSE}:{self.until or ''}:{self.words}"

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse the stored form of a pause. Raises ValueError if the text is not a valid pause."""
        kind, until, words = value.split(":", 2)
        if kind not in {_DRAIN, _PAUSE} or not is_words(words):
            raise ValueError(value)
        return cls(words=words, until=_moment(until), is_drain=kind == _DRAIN)


def is_words(text: str) -> bool:
    """Return whether a text is a valid message: one printable line that is not too long."""
    return bool(text.strip()) and len(text) <= MAX_WORDS and text.isprintable()


def _moment(text: str) -> int | None:
    if not text:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_UNTIL))
    if not is_number or int(text) > MAX_UNTIL:
        raise ValueError(text)
    return int(text)
