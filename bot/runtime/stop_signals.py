"""The signals that ask a process to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

# SIGHUP arrives when the terminal was closed, or the connection to it was lost.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def on_stop_signals(stop: Callable[[signal.Signals], object]) -> Generator[None]:
    """Call `stop` with each of these signals that arrives during the block.

    SIGHUP stays ignored if `nohup` started the process.
    """
    loop = asyncio.get_running_loop()
    handled = [
        number
        for number in STOP_SIGNALS
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]
    for number in handled:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
