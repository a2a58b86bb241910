"""What importing costs, measured in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.memory import KIB

if TYPE_CHECKING:
    from pathlib import Path

_IMPORTS = ("asyncio", "aiohttp", "pydantic_settings", "openai", "discord", "bot.__main__")
_WEIGH = """
import importlib, sys
def weigh():
    with open("/proc/self/smaps_rollup") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
    print(rss, len(sys.modules))
weigh()
for name in sys.argv[1:]:
    importlib.import_module(name)
    weigh()
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """What an import adds to those before it: bytes of RSS, and modules."""

    name: str
    size: int
    modules: int


async def weigh_imports(root: Path) -> list[Import]:
    """Weigh Python itself, then the bot's imports one after the other.

    All is compiled and cached before, as it is for a bot that was started once.
    """
    await _ask(root)
    answer = await _ask(root)
    pairs = [tuple(map(int, line.split())) for line in answer.splitlines()]
    return [
        Import(name=name, size=(size - size_before) * KIB, modules=modules - modules_before)
        for name, (size, modules), (size_before, modules_before) in zip(
            ("python", *_IMPORTS), pairs, [(0, 0), *pairs[:-1]], strict=True
        )
    ]


async def _ask(root: Path) -> str:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _WEIGH, *_IMPORTS),
        cwd=root,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    answer, _ = await child.communicate()
    return answer.decode()
