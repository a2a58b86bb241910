"""Proves that every file of the corpus is merged correctly or refused with the right message.

Each file is tried twice: once for measurements, once under strace. `python -m tests.proofs.media`
prints the table and writes docs/media-corpus.md; its exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from bot.media.process.ffmpeg import Ffmpeg
from tests.support.media import clips, strace
from tests.support.media.cancelling import OPERATIONS, cancel_often
from tests.support.media.corpus import ATTACKS, CLIPS, SOUNDS
from tests.support.media.corpus_odd import ODD_CLIPS, ODD_SOUNDS
from tests.support.media.trial import Outcome, prepare, run_trial

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUPS = {
    "Recordings": (*SOUNDS, *ODD_SOUNDS),
    "Attacks": ATTACKS,
    "Clips": (*CLIPS, *ODD_CLIPS),
}
_MAX_MEGABYTES = 400
_MIN_IN_TIME = 0.5  # of the cancels; the others may arrive after the end of the operation
_CANCELS = 100
_SAME_LENGTH = 0.05  # seconds: ffmpeg 5.1 decodes the padding of a last AAC frame too
RESULTS = Path(__file__).parents[2] / ".venv-proofs" / "media"
_TABLE = Path(__file__).parents[2] / "docs" / "media-corpus.md"
_HEAD = """\
# The corpus of recordings and clips

Each file is made by `tests/support/media/corpus.py` or `corpus_odd.py`, and tested by
`make proof-media`, with the bundled ffmpeg and with the machine's. A recording
is laid over an ordinary clip. A clip gets an ordinary narration, and then longer ones, for which it
is held and looped, with and without its own sound. *s* is the total time, *MB* the most memory that
any child took, and *apart* the milliseconds between flash and click in the result.

"""


def make_one(group: str, index: int, folder: Path) -> None:
    """Make one sample in a process other than its trial's, whose children's memory is measured."""
    job = folder / "job"
    job.mkdir(parents=True)
    prepare(_GROUPS[group][index], job, is_clip=group == "Clips")
    for copy in ("traced", "other"):
        shutil.copytree(job, folder / copy)


def try_one(group: str, index: int, folder: Path) -> Outcome:
    """Try one sample in a separate process, so that only its own children's memory counts."""
    outcome = asyncio.run(_try(folder / "job", clips.binary(), group, index, is_thorough=True))
    outcome.check("memory", holds=outcome.megabytes < _MAX_MEGABYTES)
    if strace.is_installed():
        _trace(folder, group, index, outcome)
    if other := _other_ffmpeg():
        _compare(other, folder, group, index, outcome)
    _keep(folder / "job" / "result.mp4", "own", outcome.name)
    return outcome


def _other_ffmpeg() -> Path | None:
    found = shutil.which("ffmpeg")
    return Path(found) if found else None


def _compare(other: Path, folder: Path, group: str, index: int, outcome: Outcome) -> None:
    """Try a sample with the machine's ffmpeg too, which gives the same result."""
    again = asyncio.run(_try(folder / "other", other, group, index))
    outcome.check(f"{other}: {again.said}", holds=again.said == outcome.said)
    outcome.faults += [f"{other}: {fault}" for fault in again.faults]
    if again.length is not None and outcome.length is not None:
        same = abs(again.length - outcome.length) <= _SAME_LENGTH
        outcome.check(f"{other}: {again.length:.2f} s long", holds=same)
    _keep(folder / "other" / "result.mp4", "other", outcome.name)


def _keep(result: Path, whose: str, name: str) -> None:
    """Keep a result for `python -m tests.proofs.media_playback`."""
    if result.exists():
        kept = RESULTS / f"{name}.{whose}.mp4"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(result, kept)


async def _try(
    folder: Path, binary: Path, group: str, index: int, *, is_thorough: bool = False
) -> Outcome:
    sample, is_clip = _GROUPS[group][index], group == "Clips"
    ffmpeg = Ffmpeg(binary, slots=1)
    return await run_trial(ffmpeg, sample, folder, is_clip=is_clip, is_thorough=is_thorough)


def _trace(folder: Path, group: str, index: int, outcome: Outcome) -> None:
    log = folder / "strace.log"
    log.touch()
    script = strace.write_traced_binary(clips.binary(), folder / "ffmpeg", log)
    again = asyncio.run(_try(folder / "traced", script, group, index))
    outcome.check("the same under strace", holds=again.said == outcome.said)
    outcome.faults += strace.foreign_accesses(
        log, binary=clips.binary(), workspace=folder / "traced"
    )


def main() -> int:
    """Try all samples, print the results and write the page; 1: something is wrong."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    lines: list[str] = []
    faults = 0 if strace.is_installed() else 1
    for group, samples in _GROUPS.items():
        lines += _heading(group)
        with tempfile.TemporaryDirectory(prefix="proof-") as folder, _pool() as pool:
            arguments = (
                [group] * len(samples),
                range(len(samples)),
                [Path(folder) / str(number) for number in range(len(samples))],
            )
            list(pool.map(make_one, *arguments))
            for outcome in pool.map(try_one, *arguments):
                lines.append(_row(outcome))
                faults += bool(outcome.faults)
                sys.stdout.write(f"{lines[-1]}\n")
    lines += ["", _trace_note(), "", _other_note()]
    _write(lines)
    for line in _cancel_all():
        lines.append(line)
        faults += "LEFT" in line or "TOO FEW" in line
        sys.stdout.write(f"{line}\n")
    _write(lines)
    sys.stdout.write(f"{faults} faults\n")
    return min(faults, 1)


def _write(lines: list[str]) -> None:
    _TABLE.parent.mkdir(exist_ok=True)
    _TABLE.write_text(_HEAD + "\n".join(lines).lstrip() + "\n", encoding="utf-8")


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1)


def _heading(group: str) -> list[str]:
    return [
        "",
        f"## {group}",
        "",
        "| file | outcome | s | MB | length | apart | LUFS | dBTP | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]


def _row(outcome: Outcome) -> str:
    cells = [
        outcome.name,
        outcome.said,
        f"{outcome.seconds:.1f}",
        f"{outcome.megabytes:.0f}",
        "" if outcome.length is None else f"{outcome.length:.2f} s",
        "" if outcome.apart is None else f"{outcome.apart * 1000:.0f} ms",
        "" if outcome.lufs is None else f"{outcome.lufs:.1f}",
        "" if outcome.peak is None else f"{outcome.peak:.1f}",
        "WRONG: " + ", ".join(outcome.faults) if outcome.faults else "ok",
    ]
    return f"| {' | '.join(cells)} |"


def _trace_note() -> str:
    if not strace.is_installed():
        return "strace is not installed: which files were opened was not watched."
    return (
        "Under strace, no child opened a file outside the job's folder but its own program and "
        "libraries, and none made a socket, unless a row says so."
    )


def _other_note() -> str:
    other = _other_ffmpeg()
    if other is None:
        return "No other ffmpeg is installed: only the bundled one was tried."
    versions = [
        subprocess.run([each, "-version"], check=True, capture_output=True, text=True)  # noqa: S603 - no input
        for each in (clips.binary(), other)
    ]
    own, others = (version.stdout.split()[2] for version in versions)
    return (
        f"The measurements are those of ffmpeg {own}. With ffmpeg {others} each file had the same "
        f"outcome, was in step too, and was as long within {_SAME_LENGTH * 1000:.0f} ms, unless a "
        "row says so."
    )


def _cancel_all() -> Iterator[str]:
    yield from ("", "## Cancelled at any moment", "")
    for name in OPERATIONS:
        with tempfile.TemporaryDirectory(prefix="proof-") as folder:
            cancels = asyncio.run(cancel_often(name, Path(folder), times=_CANCELS))
        found = f"LEFT {', '.join(sorted(cancels.left))}" if cancels.left else "nothing left"
        few = ", TOO FEW" if cancels.cancelled < _CANCELS * _MIN_IN_TIME else ""
        yield f"* {name}: {cancels.cancelled} of {_CANCELS} fell into the work{few}: {found}"


if __name__ == "__main__":
    sys.exit(main())
