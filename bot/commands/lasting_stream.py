"""A stream to a terminal or pipe that may be closed while the command runs."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


class LastingStream:
    """Writes to a stream. If it is closed, the output is discarded, and the command continues.

    `stream`: the stream, or None if it was closed before the start. Characters that its encoding
    lacks are replaced.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # file names may contain any bytes

    def isatty(self) -> bool:
        """Tell whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> None:
        """Write a text immediately."""
        if self._stream is None:
            return
        try:
            self._stream.write(_encodable(text, self._stream))
            self._stream.flush()
        except OSError:
            # At its exit, Python flushes the stream's buffer, which would fail on the closed
            # stream.
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
