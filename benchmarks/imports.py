"""Measures the memory that each import adds, in a separate process."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.memory import KIB

if TYPE_CHECKING:
    from pathlib import Path

_IMPORTS = ("asyncio", "aiohttp", "pydantic_settings", "openai", "discord", "bot.commands.run")
_SCRIPT = """
import importlib, sys
def measure():
    with open("/proc/self/smaps_rollup") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
    print(rss, len(sys.modules))
measure()
for name in sys.argv[1:]:
    importlib.import_module(name)
    measure()
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportCost:
    """The bytes of RSS and the modules that an import adds to those before it."""

    name: str
    size: int
    modules: int


async def measure_imports(root: Path) -> list[ImportCost]:
    """Measure Python itself, then the bot's imports one after the other.

    The first run only compiles and caches the modules. The second is measured, because the bot
    usually starts with cached modules.
    """
    await _run_script(root)
    output = await _run_script(root)
    totals = [tuple(map(int, line.split())) for line in output.splitlines()]
    return [
        ImportCost(name=name, size=(size - size_before) * KIB, modules=modules - modules_before)
        for name, (size, modules), (size_before, modules_before) in zip(
            ("python", *_IMPORTS), totals, [(0, 0), *totals[:-1]], strict=True
        )
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
