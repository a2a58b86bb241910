"""Measures the memory and the CPU time that each import adds, in a separate process."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.memory import KIB

if TYPE_CHECKING:
    from pathlib import Path

_IMPORTS = ("asyncio", "aiohttp", "pydantic_settings", "discord", "bot.commands.run", "openai")
_SCRIPT = """
import importlib, sys, time
def measure():
    with open("/proc/self/smaps_rollup") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
    print(rss, len(sys.modules), time.process_time())
measure()
for name in sys.argv[1:]:
    importlib.import_module(name)
    measure()
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportCost:
    """The cost of an import after those before it.

    `size`: added bytes of RSS. `modules`: added modules. `seconds`: CPU time.
    """

    name: str
    size: int
    modules: int
    seconds: float


async def measure_imports(root: Path) -> list[ImportCost]:
    """Measure Python itself, then the bot's imports one after the other.

    The first run only compiles and caches the modules. The second is measured, because the bot
    usually starts with cached modules.
    """
    await _run_script(root)
    output = await _run_script(root)
    rows = [tuple(map(float, line.split())) for line in output.splitlines()]
    totals = [(0.0, 0.0, 0.0), *rows]
    return [
        ImportCost(
            name=name,
            size=int(after[0] - before[0]) * KIB,
            modules=int(after[1] - before[1]),
            seconds=after[2] - before[2],
        )
        for name, (before, after) in zip(("python", *_IMPORTS), pairwise(totals), strict=True)
    ]


async def _run_script(root: Path) -> str:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _SCRIPT,
        *_IMPORTS,
        cwd=root,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await child.communicate()
    return output.decode()
