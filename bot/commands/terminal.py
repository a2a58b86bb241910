"""Draws a Discord message in a terminal, over and over in the same place."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_CONTAINER, _ROW, _BUTTON, _TEXT, _GALLERY = 17, 1, 2, 10, 12
_WIDTH = 72
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_UP_AND_CLEAR = "\x1b[{lines}A\x1b[J"


class CardTerminal:
    """Draws each version of a card: over the last one in a terminal, below it elsewhere."""

    def __init__(
        self, out: TextIO, *, names: Mapping[int, str], clock: Callable[[], float]
    ) -> None:
        self._out = out
        self._names = names
        self._clock = clock
        self._drawn = 0
        self._live = out.isatty()

    def draw(self, components: Sequence[Mapping[str, Any]]) -> None:
        """Draw the components of a message."""
        width = min(_WIDTH, shutil.get_terminal_size().columns - 4)
        lines = [f"  {line}" for line in self._frame(components, width)]
        if self._live and self._drawn:
            self._out.write(_UP_AND_CLEAR.format(lines=self._drawn))
        self._out.write("\n".join(lines) + "\n")
        self._out.flush()
        self._drawn = len(lines)

    def _frame(self, components: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
        yield "╭" + "─" * (width - 2) + "╮"
        for line in self._lines(components, width - 4):
            yield f"│ {self._styled(line.ljust(width - 4))} │"
        yield "╰" + "─" * (width - 2) + "╯"

    def _lines(self, components: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
        for component in components:
            match component["type"]:
                case 17:
                    yield from self._lines(component["components"], width)
                case 10:
                    for line in component["content"].split("\n"):
                        yield from self._wrapped(self._plain(line), width)
                case 12:
                    for item in component["items"]:
                        yield f"▶  {item['media']['url'].rpartition('/')[2].partition('?')[0]}"
                case 1:
                    labels = [f"[ {button['label']} ]" for button in component["components"]]
                    yield "  ".join(labels)
                case _:
                    continue

    def _wrapped(self, line: str, width: int) -> list[str]:
        mark, indent = ("~", "~") if line.startswith("~") else ("", "")
        rest = line.removeprefix(mark)
        if rest.startswith("│ "):
            indent += "│ "
        return textwrap.wrap(line, width, subsequent_indent=indent) or [""]

    def _plain(self, line: str) -> str:
        line = re.sub(r"^-# ", "~", line)
        line = re.sub(r"^> ", "│ ", line)
        line = re.sub(r"<@(\d+)>", lambda match: self._name(int(match[1])), line)
        line = re.sub(r"<t:(\d+):R>", lambda match: self._ago(int(match[1])), line)
        return re.sub(r"\\([\\*_~`|>@#-])", r"\1", line).replace("`", "")

    def _name(self, user_id: int) -> str:
        return f"@{self._names.get(user_id, user_id)}"

    def _ago(self, at: int) -> str:
        return f"{max(0, round(self._clock() - at))} seconds ago"

    def _styled(self, line: str) -> str:
        if line.startswith("~"):
            text = line.removeprefix("~") + " "
            return f"{_DIM}{text}{_RESET}" if self._live else text
        if line.startswith("**"):
            text = line.replace("**", "") + "    "
            return f"{_BOLD}{text}{_RESET}" if self._live else text
        return line
