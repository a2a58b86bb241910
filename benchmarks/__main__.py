"""`python -m benchmarks`: measure everything, print the page and keep it in docs/."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.burst import rush
from benchmarks.environment import ROOT
from benchmarks.http_load import fill
from benchmarks.imports import weigh_imports
from benchmarks.sample_media import Media
from benchmarks.scenarios import LOADS, carry, race, rest

if TYPE_CHECKING:
    from benchmarks.scenarios import AtRest, InHand, Pace

_PAGE = ROOT / "docs" / "benchmarks.md"
_SMALL = 5_000_000
_RUNS = 5
_SMALLER = 2_000_000
_LARGE = 100_000_000
_JOBS, _WITHIN = 200, 10.0


async def _measure(folder: Path) -> tuple[str, list[str]]:
    media = await Media.open(folder)
    _say("imports")
    imports = await weigh_imports(ROOT)
    _say("clips")
    speech, small = await media.speech(), await media.clip(_SMALL)
    at_rest: list[AtRest] = []
    for name, clip in (("openai", small), ("storyboard", None)):
        _say(f"at rest: {name}")
        at_rest.append(await rest(folder / f"rest-{name}", clip))
    in_hand = await _carry_all(folder, media, speech)
    paces: list[Pace] = []
    for name, voice in (("as it came", None), ("narrated", speech)):
        _say(f"against the clock: {name}")
        paces.append(await race(folder / f"pace-{name}", media, small, voice, times=_RUNS))
    _say("many at once")
    rushed = await rush(folder / "rush", await media.clip(_SMALLER), jobs=_JOBS, within=_WITHIN)
    _say("a full house")
    filled = await fill(folder / "audience", await media.clip(_LARGE), await media.clip(_SMALLER))
    text = report.write(
        machine=report.describe_machine(await media.version()),
        at_rest=at_rest,
        imports=imports,
        in_hand=in_hand,
        paces=paces,
        rushed=rushed,
        audience=filled,
    )
    return text, report.missed(in_hand)


async def _carry_all(folder: Path, media: Media, speech: Path) -> list[InHand]:
    clips: dict[int, Path] = {}
    in_hand: list[InHand] = []
    for number, load in enumerate(LOADS):
        _say(f"in hand: {load.name}")
        if load.size is not None and load.size not in clips:
            clips[load.size] = await media.clip(load.size)
        clip = clips[load.size] if load.size is not None else None
        in_hand.append(await carry(folder / f"load-{number}", load, clip, speech))
    return in_hand


def main() -> int:
    """Measure, print, write; a missed target is marked, and is no failure."""
    if sys.platform != "linux":
        print("The benchmarks read /proc, which only Linux has.", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clapper-bench-") as folder:
        text, missed = asyncio.run(_measure(Path(folder)))
    _PAGE.parent.mkdir(exist_ok=True)
    _PAGE.write_text(text, encoding="utf-8")
    print(text)
    for name in missed:
        print(f"TARGET MISSED: {name} grew by more than {report.TARGET // report.MIB} MiB")
    _say(f"{_PAGE.relative_to(ROOT)} is written; {time.monotonic() - began:.0f} s in all")
    return 0


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
