"""The child process: reads figures as JSON from one file, and writes their chart to another."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.jobs.costs.chart.drawing import draw
from bot.jobs.costs.chart.figures import Figures

if __name__ == "__main__":
    source, target = (Path(name) for name in sys.argv[1:3])
    draw(Figures.from_json(source.read_text(encoding="utf-8"))).save(target, format="PNG")
