"""Runs the bot under a machine's clock that the test sets with a file, which shifts `time.time`."""

from __future__ import annotations

import importlib
import os
import runpy
import time
from functools import cache
from pathlib import Path

AHEAD_FILE = "CLOCK_AHEAD_FILE"


def set_clock(file: Path, ahead: float) -> None:
    """Set the clock of the bots that read this file; `ahead`: seconds ahead of the true time."""
    part = file.with_suffix(".part")
    part.write_text(str(ahead), encoding="ascii")
    part.replace(file)


@cache
def install() -> None:
    """Have `time.time` follow the file that AHEAD_FILE names, if it names one."""
    true_time = time.time

    def moved_time() -> float:
        file = os.environ.get(AHEAD_FILE)
        return true_time() + (float(Path(file).read_text(encoding="ascii")) if file else 0.0)

    time.time = moved_time


if __name__ == "__main__":
    # This process has two copies of this module, and only one of them may install the clock.
    importlib.import_module("tests.support.moved_clock").install()
    runpy.run_module("tests.support.bot_process", run_name="__main__")
