"""Writes to a terminal or pipe that may be closed while the command is still running."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


class LastingStream:
    """Writes to a stream. Once the stream is closed, output is discarded without an error.

    `stream`: the stream, or None if it was closed before the command started. Characters that the
    stream's encoding can't represent are replaced.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # names of files may contain any bytes

    def isatty(self) -> bool:
        """Tell whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> None:
        """Write a text, and flush the stream."""
        if self._stream is None:
            return
        try:
            self._stream.write(_encodable(text, self._stream))
            self._stream.flush()
        except OSError:
            # When Python exits, it flushes the stream's buffer. On the closed stream, that would
            # raise an error, so the stream now writes to the null device.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        return text.encode(encoding, "replace").decode(encoding)
    return text
