"""`python -m benchmarks`: runs all benchmarks, and writes the report to docs/benchmarks.md."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.burst import run_burst
from benchmarks.command_load import measure_commands
from benchmarks.environment import ROOT
from benchmarks.hostile_load import measure_hostile_load
from benchmarks.http_load import run_http_load
from benchmarks.imports import measure_imports
from benchmarks.kill_restart import measure_kill_restart
from benchmarks.open_jobs import measure_open_jobs
from benchmarks.poll_delays import measure_poll_delays
from benchmarks.polling import measure_polling
from benchmarks.queued_jobs import measure_queued_jobs
from benchmarks.sample_media import SampleMedia
from benchmarks.scenarios import (
    DELIVERIES,
    WORKLOADS,
    measure_delivery,
    measure_idle,
    measure_workload,
)
from benchmarks.webhook_load import measure_webhooks

if TYPE_CHECKING:
    from benchmarks.scenarios import DeliveryTimes, IdleMemory, WorkloadMemory

_PAGE = ROOT / "docs" / "benchmarks.md"
_MEDIUM_CLIP = 5_000_000
_SMALL_CLIP = 2_000_000
_LARGE_CLIP = 100_000_000
_BURST_JOBS, _BURST_SECONDS = 200, 10.0
_BUSY_PROCESSES = (0, 2)
_OPEN_JOBS = (100, 1_000, 10_000)
# The number of jobs, and whether they are polled by the provider's list.
_POLLED = ((1_000, False), (1_000, True), (10_000, False), (10_000, True))


async def _run_all(folder: Path) -> tuple[str, list[str]]:
    """Return the report, and the workloads that missed the memory target."""
    media = await SampleMedia.open(folder)
    _print_progress("imports")
    imports = await measure_imports(ROOT)
    _print_progress("clips")
    speech, medium = await media.speech(), await media.clip(_MEDIUM_CLIP)
    small, large = await media.clip(_SMALL_CLIP), await media.clip(_LARGE_CLIP)
    idle: list[IdleMemory] = []
    for name, clip in (("openai", medium), ("storyboard", None)):
        _print_progress(f"idle: {name}")
        idle.append(await measure_idle(folder / f"idle-{name}", clip))
    workloads = await _measure_workloads(folder, media, speech)
    deliveries = await _measure_deliveries(folder, media, speech)
    _print_progress("burst of jobs")
    burst = await run_burst(folder / "burst", small, jobs=_BURST_JOBS, spread=_BURST_SECONDS)
    _print_progress("commands")
    commands = [await measure_commands(folder / f"commands-{n}", busy=n) for n in _BUSY_PROCESSES]
    _print_progress("webhooks")
    webhooks = await measure_webhooks(folder / "webhooks")
    _print_progress("open jobs")
    open_jobs = [await measure_open_jobs(folder / f"open-{n}", n) for n in _OPEN_JOBS]
    _print_progress("queued jobs")
    queued_jobs = [await measure_queued_jobs(folder / f"queued-{n}", n) for n in _OPEN_JOBS]
    _print_progress("polling")
    polling = [
        await measure_polling(folder / f"polling-{jobs}-{by_list}", jobs, by_list=by_list)
        for jobs, by_list in _POLLED
    ]
    kill_restart = await measure_kill_restart(folder / "kill-restart", _OPEN_JOBS[-1])
    delays = await measure_poll_delays(folder)
    _print_progress("load over HTTP")
    http_load = await run_http_load(folder / "http-load", large, small)
    _print_progress("hostile requests")
    hostile = await measure_hostile_load(folder / "hostile")
    text = report.render(
        machine=report.describe_machine(await media.version()),
        idle=idle,
        imports=imports,
        workloads=workloads,
        deliveries=deliveries,
        burst=burst,
        commands=commands,
        webhooks=webhooks,
        open_jobs=open_jobs,
        queued_jobs=queued_jobs,
        polling=polling,
        kill_restart=kill_restart,
        delays=delays,
        http_load=http_load,
        hostile=hostile,
    )
    return text, report.missed_targets(workloads)


async def _measure_deliveries(
    folder: Path, media: SampleMedia, speech: Path
) -> list[DeliveryTimes]:
    results: list[DeliveryTimes] = []
    for number, delivery in enumerate(DELIVERIES):
        _print_progress(f"delivery: {delivery.name}")
        clip = await media.clip(delivery.size)
        target = folder / f"delivery-{number}"
        results.append(await measure_delivery(target, media, delivery, clip, speech))
    return results


async def _measure_workloads(
    folder: Path, media: SampleMedia, speech: Path
) -> list[WorkloadMemory]:
    clips: dict[int, Path] = {}
    results: list[WorkloadMemory] = []
    for number, workload in enumerate(WORKLOADS):
        _print_progress(f"workload: {workload.name}")
        if workload.size is not None and workload.size not in clips:
            clips[workload.size] = await media.clip(workload.size)
        clip = clips[workload.size] if workload.size is not None else None
        target = folder / f"workload-{number}"
        results.append(await measure_workload(target, workload, clip, speech))
    return results


def main() -> int:
    """Run the benchmarks, and print and write the report; a missed target is not a failure."""
    if sys.platform != "linux":
        print("The benchmarks need Linux, because they read /proc.", file=sys.stderr)
        return 2
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clapper-benchmarks-") as folder:
        text, missed = asyncio.run(_run_all(Path(folder)))
    _PAGE.parent.mkdir(exist_ok=True)
    _PAGE.write_text(text, encoding="utf-8")
    print(text)
    for name in missed:
        print(f"TARGET MISSED: {name} grew by more than {report.TARGET // report.MIB} MiB")
    seconds = time.monotonic() - started
    _print_progress(f"wrote {_PAGE.relative_to(ROOT)} after {seconds:.0f} s")
    return 0


def _print_progress(message: str) -> None:
    print(f"... {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
