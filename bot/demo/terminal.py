"""Draws a Discord message in a terminal, and redraws it when it changes."""

from __future__ import annotations

import re
import shutil
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_MAX_WIDTH, _MIN_WIDTH = 72, 20
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_UP_AND_CLEAR = "\x1b[{lines}A\x1b[J"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    text: str
    style: str = ""


class CardTerminal:
    """Draws each new version of a card.

    In a terminal, the new version replaces the previous one. In any other output, it is added below
    the previous one.
    """

    def __init__(
        self, out: TextIO, *, names: Mapping[int, str], clock: Callable[[], float]
    ) -> None:
        self._out = out
        self._names = names
        self._clock = clock
        self._drawn = 0
        self._is_terminal = out.isatty()

    def draw(self, components: Sequence[Mapping[str, Any]]) -> None:
        """Draw the components of a message."""
        width = max(_MIN_WIDTH, min(_MAX_WIDTH, shutil.get_terminal_size().columns - 4))
        lines = [f"  {line}" for line in self._frame(components, width)]
        if self._is_terminal and self._drawn:
            self._out.write(_UP_AND_CLEAR.format(lines=self._drawn))
        self._out.write("\n".join(lines) + "\n")
        self._out.flush()
        self._drawn = len(lines)

    def _frame(self, components: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
        yield "╭" + "─" * (width - 2) + "╮"
        for row in self._rows(components, width - 4):
            padded = row.text + " " * (width - 4 - _cells(row.text))
            styled = f"{row.style}{padded}{_RESET}" if row.style and self._is_terminal else padded
            yield f"│ {styled} │"
        yield "╰" + "─" * (width - 2) + "╯"

    def _rows(self, components: Sequence[Mapping[str, Any]], width: int) -> Iterator[_Row]:
        for component in components:
            match component["type"]:
                case 17:  # a container
                    yield from self._rows(component["components"], width)
                case 10:  # text
                    for line in component["content"].split("\n"):
                        yield from self._text(line, width)
                case 12:  # a gallery
                    for item in component["items"]:
                        name = item["media"]["url"].rpartition("/")[2].partition("?")[0]
                        yield from _rows([f"▶  {name}"], width)
                case 1:  # a row of buttons
                    labels = [f"[ {button['label']} ]" for button in component["components"]]
                    yield from _rows(labels, width, gap="  ")
                case _:
                    continue

    def _text(self, line: str, width: int) -> Iterator[_Row]:
        style, margin = "", ""
        if line.startswith("-# "):
            style, line = _DIM, line[3:]
        elif line.startswith("**"):
            style, line = _BOLD, line.replace("**", "")
        elif line.startswith("> "):
            margin, line = "│ ", line[2:]
        yield from _rows(self._plain(line).split(), width, style=style, margin=margin)

    def _plain(self, line: str) -> str:
        line = re.sub(r"<@(\d+)>", lambda match: self._name(int(match[1])), line)
        line = re.sub(r"(?<!\\)<t:(\d+):R>", lambda match: self._ago(int(match[1])), line)
        line = re.sub(r"\\([\\*_~`|<>@#-])|`", r"\1", line).replace("\u00a0", " ")
        # Control characters and zero-width characters would break the frame.
        return "".join(filter(str.isprintable, line))

    def _name(self, user_id: int) -> str:
        return f"@{self._names.get(user_id, user_id)}"

    def _ago(self, at: int) -> str:
        seconds = max(0, round(self._clock() - at))
        return "1 second ago" if seconds == 1 else f"{seconds} seconds ago"


def _rows(
    words: Iterable[str], width: int, *, gap: str = " ", style: str = "", margin: str = ""
) -> Iterator[_Row]:
    for line in _fill(words, width - len(margin), gap):
        yield _Row(text=margin + line, style=style)


def _fill(words: Iterable[str], width: int, gap: str) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line}{gap}{word}" if line else word
        if _cells(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while _cells(line) > width:
            head = _head(line, width)
            yield head
            line = line[len(head) :]
    yield line


def _head(text: str, width: int) -> str:
    end = len(text)
    while _cells(text[:end]) > width:
        end -= 1
    return text[:end]


def _cells(text: str) -> int:
    """Return the width of a text in columns.

    East Asian characters and emoji take two columns, and combining accents take none.
    """
    return sum(
        0
        if unicodedata.combining(character)
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
