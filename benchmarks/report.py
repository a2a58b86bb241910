"""Writes the results as Markdown tables."""

from __future__ import annotations

import math
import os
import platform
import statistics
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import command_load, hostile_load, poll_delays, webhook_load
from benchmarks.memory import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.burst import BurstResult
    from benchmarks.command_load import CommandLoad
    from benchmarks.hostile_load import HostileResult
    from benchmarks.http_load import HttpLoadResult
    from benchmarks.imports import ImportCost
    from benchmarks.kill_restart import KillRestart
    from benchmarks.open_jobs import OpenJobsResult
    from benchmarks.poll_delays import PollDelays
    from benchmarks.polling import PollingResult
    from benchmarks.queued_jobs import QueuedJobsResult
    from benchmarks.scenarios import DeliveryTimes, IdleMemory, WorkloadMemory
    from benchmarks.webhook_load import WebhookLoad

TARGET = 30 * MIB
_MISSED = "**MISSED**"
_TIMES = "\N{MULTIPLICATION SIGN}"
_LIBRARIES = ("discord.py", "openai", "aiohttp", "pydantic")
_HEAD = """\
# Benchmarks

`make bench` generates this page and replaces it on each run. The bot runs as a separate process
(`python -m bot run`), with stand-ins for Discord and for a Videos API server. Its memory is read
from `/proc` and given in MiB.
"""
_IDLE_NOTE = """\
RSS is the resident memory. PSS counts shared pages in proportion to the processes that share them,
and USS counts private pages only. The start is measured until the bot is ready for commands.
"""
_IMPORT_NOTE = """\
Each import adds this much RSS and CPU time to those above it. Any bot with discord.py pays for the
imports down to `discord`, so they are the floor of a start. Only `VIDEO_BACKEND=openai` imports
`openai`.
"""
_WORKLOAD_NOTE = f"""\
The same bot runs each workload twice, with a fast disk and over loopback. Growth is the larger peak
minus the idle RSS. For a single clip of 100 MB, the target is at most {TARGET // MIB} MiB.
Child processes (ffmpeg) are counted separately. "After" is the RSS when the bot is idle again. The
bot uploads at most 95 MiB, so it delivers clips of 100 MB by link.
"""
_DELIVERY_NOTE = """\
The time runs from the provider's webhook until the card in Discord has the video: download, merge
and upload, or a link instead of the upload. The remux is `ffmpeg -c copy` of the same clip, and
alternates with the deliveries.
"""
_BURST_NOTE = """\
Each job has a clip of 2 MB and its own requester. The Discord stand-in enforces rate limits and
announces them in the same headers as Discord: 50 requests a second for the bot, 5 in 5 s for each
interaction and for each channel, and 10 new DMs in 10 s. Discord does not document the limit on new
DMs. It bans an IP address after 10,000 responses with status 401, 403 or 429 in 10 minutes.
"""
_COMMAND_HEAD = ("Busy processes", "Median, ms", "95 %", "Max", "Later than 3 s")
_COMMAND_NOTE = """\
`/video` is typed 50 times a second for 20 seconds, each time by another person, while the bot sends
the jobs to the provider. Discord accepts an answer for 3 seconds. The stand-ins run on the same
processors.
"""
_WEBHOOK_HEAD = ("Server", "Acknowledged: median, ms", "95 %", "Max", "Refused", "Lost")
_WEBHOOK_NOTE = """\
500 webhooks a second for six seconds, each about another open job, which the bot then asks the
provider about. A webhook is acknowledged when it is stored.
"""
_OPEN_JOBS_NOTE = """\
One job is postponed again and again, while the workers of all lanes look for due jobs and find
none.
"""
_QUEUED_JOBS_NOTE = """\
Jobs of 3,000 people on 100 servers. A claim chooses the server, the person and the job whose turn
it is. A start is the commit before the POST, and waits for the disk. The places of all cards are
read at most every 15 seconds.
"""
_POLLING_NOTE = """\
The provider is another process on the same machine, whose jobs all run and never end. A restart
follows a minute of downtime. The share and the longest time were measured for half a minute after
all jobs had been polled.
"""
_KILL_NOTE = """\
A bot with {jobs:,} jobs, which are polled by the list, is killed by `kill -9` and started again. It
had polled all of them {from_start:.1f} s after its start and {from_ready:.1f} s after it was ready.
"""
_PHASE_NOTE = """\
Memory is RSS, and growth is the peak minus the idle RSS. The lag is the longest event loop delay
that `/metrics` reports; the bot measures it twice a second. Each of ten clients has 20 sockets,
which all subscribe to the client's 50 jobs. The clips of these jobs have 2 MB, and nine in ten jobs
succeed. Each of the 20 downloads fetches 100 MB by a share link in four ranges, three times, and
verifies the checksum of each range.
"""
_DOWNLOAD_NOTE = """\
The seconds run until the last of the 20 downloads is complete. The ratio is to aiohttp's
`FileResponse`, which was measured alternately with the idle bot before the jobs. The downloading
threads run on the same processors as the bot.
"""
_MESSAGE_NOTE = """\
Each socket should receive one final state per job, with the status that the provider reported. Late
messages arrived after the job's final state. The seconds run from the provider's webhook to the
message; the bot downloads the clip in between.
"""
_MILLISECONDS = f"{hostile_load.TARGET * 1000:.0f}"
_HOSTILE_NOTE = f"""\
Each kind is sent for ten seconds, as fast as the bot receives it, by a process of lower priority on
the same processors. Meanwhile `/healthz` is asked up to 50 times a second, and should answer within
{_MILLISECONDS} ms. A command is typed every second, and its slowest answer is shown. The log's
growth is in bytes.
"""


def render(
    *,
    machine: Sequence[str],
    idle: Sequence[IdleMemory],
    imports: Sequence[ImportCost],
    workloads: Sequence[WorkloadMemory],
    deliveries: Sequence[DeliveryTimes],
    burst: BurstResult,
    commands: list[CommandLoad],
    webhooks: list[WebhookLoad],
    open_jobs: Sequence[OpenJobsResult],
    queued_jobs: Sequence[QueuedJobsResult],
    polling: Sequence[PollingResult],
    kill_restart: KillRestart,
    delays: Sequence[PollDelays],
    http_load: HttpLoadResult,
    hostile: list[HostileResult],
) -> str:
    """Return the report in Markdown."""
    parts = [
        _HEAD,
        "\n".join(f"* {line}" for line in machine) + "\n",
        "## Idle memory\n",
        _idle_table(idle),
        _IDLE_NOTE,
        _IMPORT_NOTE,
        _import_table(imports),
        "## Memory with large clips\n",
        _workload_table(workloads),
        _WORKLOAD_NOTE,
        "## Seconds from the webhook to the video in Discord\n",
        _delivery_table(deliveries),
        _DELIVERY_NOTE,
        "## A burst of jobs\n",
        _burst_table(burst),
        _BURST_NOTE,
        "## Answers to commands\n",
        _table(_COMMAND_HEAD, command_load.rows(commands)),
        _COMMAND_NOTE,
        "## Webhooks\n",
        _table(_WEBHOOK_HEAD, webhook_load.rows(webhooks)),
        _WEBHOOK_NOTE,
        "## CPU time of a change beside open jobs\n",
        _open_jobs_table(open_jobs),
        _OPEN_JOBS_NOTE,
        _queued_jobs_table(queued_jobs),
        _QUEUED_JOBS_NOTE,
        "## Polling many jobs\n",
        _polling_table(polling),
        _POLLING_NOTE,
        _KILL_NOTE.format(
            jobs=kill_restart.jobs,
            from_start=kill_restart.from_start,
            from_ready=kill_restart.from_ready,
        ),
        "## Polling until the end of a job\n",
        _table(poll_delays.HEAD, poll_delays.rows(delays)),
        poll_delays.NOTE,
        "## Load over HTTP\n",
        _phase_table(http_load),
        _PHASE_NOTE,
        _download_table(http_load),
        _DOWNLOAD_NOTE,
        _message_table(http_load),
        _MESSAGE_NOTE,
        "## Hostile requests\n",
        hostile_table(hostile),
        _HOSTILE_NOTE,
    ]
    return "\n".join(parts)


def hostile_table(hostile: list[HostileResult]) -> str:
    """Return the table of the response times during hostile requests."""
    head = ("Requests of four connections", "Asked", "Median, ms", "99 %", "Max", "Command", "Log")
    return _table(head, hostile_load.rows(hostile))


def missed_targets(workloads: Iterable[WorkloadMemory]) -> list[str]:
    """Return the names of the workloads that exceeded the memory target."""
    return [each.workload.name for each in workloads if _verdict(each) == _MISSED]


def describe_machine(ffmpeg: str) -> list[str]:
    """Return the machine's hardware and software, one line each."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return [
        f"{os.cpu_count()} {_TIMES} {_processor()}, {memory / 1024**3:.0f} GiB of memory",
        f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        f"Python {platform.python_version()}, ffmpeg {ffmpeg}, "
        + ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _idle_table(idle: Sequence[IdleMemory]) -> str:
    return _table(
        ("`VIDEO_BACKEND`", "CPU s to ready", "RSS", "PSS", "USS", "Pillow loaded"),
        [
            (
                measured.backend,
                f"{measured.start_cpu:.2f}",
                _mib(measured.memory.rss),
                _mib(measured.memory.pss),
                _mib(measured.memory.uss),
                "yes" if measured.pillow_loaded else "no",
            )
            for measured in idle
        ],
    )


def _import_table(imports: Sequence[ImportCost]) -> str:
    sizes = accumulate(each.size for each in imports)
    seconds = accumulate(each.seconds for each in imports)
    return _table(
        ("Import", "Modules", "MiB", "Total", "CPU s", "Total"),
        [
            (
                f"`{each.name}`",
                str(each.modules),
                _mib(each.size),
                _mib(size),
                f"{each.seconds:.2f}",
                f"{spent:.2f}",
            )
            for each, size, spent in zip(imports, sizes, seconds, strict=True)
        ],
    )


def _workload_table(workloads: Sequence[WorkloadMemory]) -> str:
    head = (
        "Workload, RSS",
        "Idle",
        "Peak",
        "Second peak",
        "After",
        "Child processes",
        "Growth",
        "Target",
    )
    rows = [
        (
            measured.workload.name,
            _mib(measured.idle.rss),
            *(_mib(peak.rss) for peak in measured.peaks),
            _mib(measured.after.rss),
            _mib(max(peak.children for peak in measured.peaks)),
            f"**{_mib(measured.growth)}**",
            _verdict(measured),
        )
        for measured in workloads
    ]
    return f"{_table(head, rows)}\n{_sampling(workloads)}"


def _verdict(measured: WorkloadMemory) -> str:
    if not measured.workload.has_target:
        return "-"
    return _MISSED if measured.growth > TARGET else "met"


def _sampling(workloads: Sequence[WorkloadMemory]) -> str:
    peaks = [peak for measured in workloads for peak in measured.peaks]
    source = (
        "the kernel's (`VmHWM`)" if all(peak.exact for peak in peaks) else "the largest samples"
    )
    rate = min(peak.rate for peak in peaks)
    return f"Peaks are {source}. All processes were sampled at least {rate:.0f} times a second.\n"


def _delivery_table(deliveries: Sequence[DeliveryTimes]) -> str:
    return _table(
        ("Clip", "Runs", "Median", "95 %", "Max", "Remux, median", "Ratio"),
        [
            (
                each.name,
                str(len(each.seconds)),
                f"{statistics.median(each.seconds):.2f}",
                f"{statistics.quantiles(each.seconds, n=20)[18]:.2f}",
                f"{max(each.seconds):.2f}",
                f"{statistics.median(each.remux):.3f}",
                f"{each.ratio:.1f}",
            )
            for each in deliveries
        ],
    )


def _open_jobs_table(results: Sequence[OpenJobsResult]) -> str:
    rows = [(f"{each.jobs:,}", f"{each.milliseconds:.2f}") for each in results]
    return _table(("Open jobs", "CPU ms for one change"), rows)


def _queued_jobs_table(results: Sequence[QueuedJobsResult]) -> str:
    rows = [
        (
            f"{each.jobs:,}",
            f"{each.claim:.2f}",
            f"{each.slowest_claim:.2f}",
            f"{each.start:.2f}",
            f"{each.place:.2f}",
            f"{each.all_places:.1f}",
        )
        for each in results
    ]
    heads = ("Queued jobs", "Claim, median ms", "Max", "Start", "Place of a job", "All places")
    return _table(heads, rows)


def _polling_table(results: Sequence[PollingResult]) -> str:
    rows = [
        (
            f"{each.jobs:,}",
            "a list" if each.by_list else "each by itself",
            f"{each.restart:.1f}" if math.isfinite(each.restart) else "over 120",
            f"{each.share:.1f}",
            f"{each.longest:.1f}",
        )
        for each in results
    ]
    heads = (
        "Jobs",
        "Polled by",
        "Seconds until all are polled after a restart",
        "CPU, % of a core",
        "Longest seconds since a job's last poll",
    )
    return _table(heads, rows)


def _burst_table(burst: BurstResult) -> str:
    return _table(
        (
            "Jobs",
            "Seconds from webhook to video, median",
            "95 %",
            "Max",
            "Single job",
            "Requests to Discord",
            "Status 429",
            "Most edits of a card",
            "CPU ms a job",
        ),
        [
            (
                f"{len(burst.seconds)} in {burst.spread:.0f} s",
                f"{burst.median:.2f}",
                f"{burst.percentile_95:.2f}",
                f"{max(burst.seconds):.2f}",
                f"{burst.single_job:.2f}",
                str(burst.requests),
                str(burst.rate_limited),
                str(burst.card_edits),
                f"{burst.cpu * 1000:.0f}",
            )
        ],
    )


def _phase_table(http_load: HttpLoadResult) -> str:
    idle = http_load.idle.rss
    phases = [
        (
            phase.name,
            _mib(idle),
            _mib(phase.peak.rss),
            f"**{_mib(phase.peak.rss - idle)}**",
            f"{phase.lag * 1000:.0f}",
        )
        for phase in http_load.phases
    ]
    return _table(
        ("Phase", "Idle", "Peak", "Growth", "Longest lag, ms"),
        [*phases, ("idle again", _mib(idle), _mib(http_load.after.rss), "", "")],
    )


def _download_table(http_load: HttpLoadResult) -> str:
    reference = statistics.median(http_load.downloads[0].seconds)
    return _table(
        (f"20 {_TIMES} 100 MB from", "Runs", "Median", "Min", "Max", "Ratio"),
        [
            (
                each.server,
                str(len(each.seconds)),
                f"{statistics.median(each.seconds):.2f}",
                f"{min(each.seconds):.2f}",
                f"{max(each.seconds):.2f}",
                f"{statistics.median(each.seconds) / reference:.1f}",
            )
            for each in http_load.downloads
        ],
    )


def _message_table(http_load: HttpLoadResult) -> str:
    return _table(
        (
            "Final states expected",
            "Received",
            "Late messages",
            "Sockets closed",
            "Seconds, median",
            "95 %",
            "Max",
        ),
        [
            (
                f"{http_load.expected:,}",
                f"**{http_load.received:,}**",
                str(http_load.late_messages),
                str(http_load.closed_sockets),
                f"{http_load.median:.2f}",
                f"{http_load.percentile_95:.2f}",
                f"{max(http_load.delays):.2f}",
            )
        ],
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _mib(size: int) -> str:
    return f"{size / MIB:.1f}"
