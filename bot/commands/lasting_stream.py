"""A stream to a terminal or pipe that may be closed while the command runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


class LastingStream:
    """Writes to a stream, and discards the output once that is closed: the command continues."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        """Tell whether the stream is a terminal."""
        return self._stream.isatty()

    def write(self, text: str) -> None:
        """Write a text, and flush the stream."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # Otherwise Python would fail at exit, when it flushes the stream's buffer.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)
