"""Skips gateway events that discord.py can't parse, instead of closing the connection."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import TracebackType

log = logging.getLogger(__name__)

Parser: TypeAlias = "Callable[[Any], None]"

# If READY can't be parsed, the session is unusable, so READY must not be skipped.
_NEEDED = "READY"
_INTERACTION = "INTERACTION_CREATE"


class SkippedEvents:
    """Wraps discord.py's parsers, so that they skip events that can't be parsed.

    `count` is called with the name of each skipped event. `answer` is called with the data of a
    skipped interaction, because the person who started it is waiting for a response.
    """

    def __init__(self, *, count: Callable[[str], None], answer: Callable[[Any], None]) -> None:
        self._count = count
        self._answer = answer
        self._skipped = Counter[str]()

    def guard(self, parsers: MutableMapping[str, Parser]) -> None:
        """Wrap all parsers except that of READY, whose errors must end the connection."""
        for name, parser in parsers.items():
            if name != _NEEDED:
                parsers[name] = self._guarded(name, parser)

    def record(self, name: str, error: Exception) -> None:
        """Count a skipped event. Only the 1st, 10th, 100th, ... event of each name is logged."""
        self._count(name)
        self._skipped[name] += 1
        times = self._skipped[name]
        if times == 10 ** (len(str(times)) - 1):
            # The event and the error's message are not logged, because both may quote people's
            # messages.
            log.warning(
                "gateway.skipped event=%s error=%s at=%s times=%d",
                name,
                type(error).__name__,
                _place(error.__traceback__),
                times,
            )

    def _guarded(self, name: str, parser: Parser) -> Parser:
        def parse(data: Any) -> None:  # noqa: ANN401 - any JSON value may arrive
            try:
                parser(data)
            except Exception as error:  # noqa: BLE001 - no error in one event may end the connection
                self.record(name, error)
                if name == _INTERACTION:
                    self._answer(data)

        return parse


def _place(traceback: TracebackType | None) -> str:
    """Return the file name and the line number at which the error was raised."""
    if traceback is None:
        return "unknown"
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{Path(traceback.tb_frame.f_code.co_filename).name}:{traceback.tb_lineno}"
