"""A stream to a terminal or pipe that may be closed while the command runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


class LastingStream:
    """Writes to a stream, and to nothing once that is closed: the command has to go on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        """Tell whether the stream is a terminal."""
        return self._stream.isatty()

    def write(self, text: str) -> None:
        """Write a text, and send it at once."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # Python would fail at its exit with what is still in the stream's buffer.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)
