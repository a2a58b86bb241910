"""Handles the signals that ask the process to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

# The system sends SIGHUP when the terminal is closed or its connection is lost.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def on_stop_signals(stop: Callable[[signal.Signals], object]) -> Generator[None]:
    """During the `with` block, call `stop` whenever one of STOP_SIGNALS arrives.

    SIGHUP stays ignored if the process was started with `nohup`.
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
