"""Runs the bot under a machine's clock that the test sets with a file, which shifts `time.time`."""

from __future__ import annotations

import os
import runpy
import time
from pathlib import Path

AHEAD_FILE = "CLOCK_AHEAD_FILE"


def set_clock(file: Path, ahead: float) -> None:
    """Set the clock of the bots that read this file; `ahead`: seconds ahead of the true time."""
    part = file.with_suffix(".part")
    part.write_text(str(ahead), encoding="ascii")
    part.replace(file)


if __name__ == "__main__":
    true_time, ahead_file = time.time, Path(os.environ[AHEAD_FILE])
    time.time = lambda: true_time() + float(ahead_file.read_text(encoding="ascii"))
    runpy.run_module("tests.support.bot_process", run_name="__main__")
