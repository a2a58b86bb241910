"""Writes the log as the bot does, to a text that a test reads."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.logs import Redactor, RepeatLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@contextmanager
def log_output(*, clock: Callable[[], float]) -> Generator[io.StringIO]:
    """Provide what is logged in the block, without repetitions by this clock."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.addFilter(RepeatLimit(clock=clock))
    handler.addFilter(Redactor(()))
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield output
    finally:
        logging.getLogger().removeHandler(handler)
