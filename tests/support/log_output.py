"""Writes the log as the bot does, but to text that a test reads."""

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
    """Provide the log of the block; `clock` is that of the limit on repetitions."""
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
