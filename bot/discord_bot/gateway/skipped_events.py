"""SkippedEvents: skips gateway events that discord.py can't parse, and keeps the connection."""

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

# A session whose READY event can't be parsed is unusable.
_NEEDED = "READY"
_INTERACTION = "INTERACTION_CREATE"


class SkippedEvents:
    """Wraps parsers so that they skip unreadable events and log the name of each event once.

    `count` is called with each skipped event's name. `answer` is called with the data of a skipped
    interaction, to which the person still expects a response.
    """

    def __init__(self, *, count: Callable[[str], None], answer: Callable[[Any], None]) -> None:
        self._count = count
        self._answer = answer
        self._skipped = Counter[str]()

    def guard(self, parsers: MutableMapping[str, Parser]) -> None:
        """Wrap all parsers except that of READY: an error in it may end the connection."""
        for name, parser in parsers.items():
            if name != _NEEDED:
                parsers[name] = self._guarded(name, parser)

    def record(self, name: str, error: Exception) -> None:
        """Count a skipped event, and log the 1st, the 10th, the 100th, ... of each name."""
        self._count(name)
        self._skipped[name] += 1
        times = self._skipped[name]
        if times == 10 ** (len(str(times)) - 1):
            # Neither the event nor the error's text is logged: both may quote what people wrote.
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
            except Exception as error:  # noqa: BLE001 - any; one event must not end the connection
                self.record(name, error)
                if name == _INTERACTION:
                    self._answer(data)

        return parse


def _place(traceback: TracebackType | None) -> str:
    """Return the file and line that raised an error."""
    if traceback is None:
        return "unknown"
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{Path(traceback.tb_frame.f_code.co_filename).name}:{traceback.tb_lineno}"
