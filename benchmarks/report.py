"""The results as a page of tables."""

from __future__ import annotations

import os
import platform
import statistics
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.memory import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.burst import Rush
    from benchmarks.http_load import Audience
    from benchmarks.imports import Import
    from benchmarks.scenarios import AtRest, InHand, Pace

TARGET = 30 * MIB
_MISSED = "**MISSED**"
_LIBRARIES = ("discord.py", "openai", "aiohttp", "pydantic")
_HEAD = """\
# Benchmarks

Written by `make bench`: each run replaces this page. The bot is a process of its own, started as
`python -m bot run`; a Videos API server is another, and Discord's stand-in a third. Memory is read
from outside, in `/proc`; MiB throughout.
"""
_RSS_NOTE = """\
RSS is all that is mapped, PSS the process's share of it, USS what is its alone.
"""
_LARGE_NOTE = f"""\
Each is done twice by one bot, on fast disks and loopback. Growth is the larger peak over RSS at
rest; for one clip of 100 MB it should be {TARGET // MIB} MiB at most. Children (ffmpeg) are apart.
After: RSS at rest again. An upload has to be below 95 MiB, so 100 MB goes by a link.
"""
_PACE_NOTE = """\
From the moment at which the provider sends its webhook to the moment at which the card in Discord
has the video: download, merge, upload. Beside it `ffmpeg -c copy` of the same clip, run in turn.
"""
_RUSH_NOTE = """\
As many people, a clip of 2 MB each, at a stand-in that enforces rate limits as Discord
announces them: 50 requests a second for the bot, 5 in 5 s for each interaction and each
channel, and 10 new DMs in 10 s, which nobody has documented. Discord bans who is turned away
10,000 times in 10 minutes.
"""
_PHASE_NOTE = """\
Memory is RSS, growth the peak over RSS at rest; the loop's lag is the longest that `/metrics` tells
of, which looks twice a second. Ten clients have 20 sockets each, and 50 jobs of 2 MB that all of
these follow; nine in ten succeed. The 20 fetch 100 MB by a share link, each in four ranges, three
times; what came is checked by its checksum.
"""
_PULL_NOTE = """\
Seconds until the last of 20 had its 100 MB. The ratio is to aiohttp's, run in turn before the
jobs; the readers run on the same processors as the bot.
"""
_TOLD_NOTE = """\
One for each socket and job, with the status that the provider gave; late is what came after a final
state. The seconds are from the provider's webhook to the socket: the clip is fetched in between.
"""


def write(
    *,
    machine: Sequence[str],
    at_rest: Sequence[AtRest],
    imports: Sequence[Import],
    in_hand: Sequence[InHand],
    paces: Sequence[Pace],
    rushed: Rush,
    audience: Audience,
) -> str:
    """Return the page in Markdown."""
    parts = [
        _HEAD,
        "\n".join(f"* {line}" for line in machine) + "\n",
        "## Memory at rest\n",
        _rest_table(at_rest),
        _RSS_NOTE,
        "What the imports add to it, one after the other, in RSS:\n",
        _import_table(imports),
        "## Memory with a large clip in hand\n",
        _large_table(in_hand),
        _LARGE_NOTE,
        "## Seconds from the webhook to the card, for a clip of 5 MB\n",
        _pace_table(paces),
        _PACE_NOTE,
        "## Many at once\n",
        _rush_table(rushed),
        _RUSH_NOTE,
        "## A full house over HTTP\n",
        _phase_table(audience),
        _PHASE_NOTE,
        _pull_table(audience),
        _PULL_NOTE,
        _told_table(audience),
        _TOLD_NOTE,
    ]
    return "\n".join(parts)


def missed(in_hand: Iterable[InHand]) -> list[str]:
    """Name the cases that grew beyond the target."""
    return [measured.load.name for measured in in_hand if _verdict(measured) == _MISSED]


def describe_machine(ffmpeg: str) -> list[str]:
    """Say what the numbers were measured on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return [
        f"{os.cpu_count()} × {_processor()}, {memory / 1024**3:.0f} GiB of memory",  # noqa: RUF001 - the sign that is meant
        f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        f"Python {platform.python_version()}, ffmpeg {ffmpeg}, "
        + ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _rest_table(at_rest: Sequence[AtRest]) -> str:
    return _table(
        ("`VIDEO_BACKEND`", "RSS", "PSS", "USS", "Pillow loaded"),
        [
            (
                measured.backend,
                _mib(measured.memory.rss),
                _mib(measured.memory.pss),
                _mib(measured.memory.uss),
                "yes" if measured.draws else "no",
            )
            for measured in at_rest
        ],
    )


def _import_table(imports: Sequence[Import]) -> str:
    sums = accumulate(weighed.size for weighed in imports)
    return _table(
        ("Import", "Modules", "MiB", "Sum"),
        [
            (f"`{weighed.name}`", str(weighed.modules), _mib(weighed.size), _mib(total))
            for weighed, total in zip(imports, sums, strict=True)
        ],
    )


def _large_table(in_hand: Sequence[InHand]) -> str:
    return (
        _table(
            ("Clip, RSS", "At rest", "Peak", "Peak again", "After", "Children", "Growth", "Target"),
            [
                (
                    measured.load.name,
                    _mib(measured.idle.rss),
                    *(_mib(peak.rss) for peak in measured.peaks),
                    _mib(measured.after.rss),
                    _mib(max(peak.children for peak in measured.peaks)),
                    f"**{_mib(measured.growth)}**",
                    _verdict(measured),
                )
                for measured in in_hand
            ],
        )
        + "\n"
        + _sampling(in_hand)
    )


def _verdict(measured: InHand) -> str:
    if not measured.load.target:
        return "-"
    return _MISSED if measured.growth > TARGET else "met"


def _sampling(in_hand: Sequence[InHand]) -> str:
    peaks = [peak for measured in in_hand for peak in measured.peaks]
    source = "the kernel's" if all(peak.exact for peak in peaks) else "sampled"
    return f"Peaks are {source}; at least {min(p.rate for p in peaks):.0f} samples per second.\n"


def _pace_table(paces: Sequence[Pace]) -> str:
    return _table(
        ("Clip", "Runs", "Median", "Least", "Most", "Remux, median", "Ratio"),
        [
            (
                pace.name,
                str(len(pace.seconds)),
                f"{statistics.median(pace.seconds):.2f}",
                f"{min(pace.seconds):.2f}",
                f"{max(pace.seconds):.2f}",
                f"{statistics.median(pace.remux):.3f}",
                f"{pace.ratio:.1f}",
            )
            for pace in paces
        ],
    )


def _rush_table(rushed: Rush) -> str:
    return _table(
        (
            "Jobs done",
            "Webhook to card, median",
            "95 %",
            "Most",
            "One alone",
            "Requests",
            "Of them 429",
            "Edits of a card, most",
        ),
        [
            (
                f"{len(rushed.seconds)} in {rushed.within:.0f} s",
                f"{rushed.median:.2f}",
                f"{rushed.most_of_them:.2f}",
                f"{max(rushed.seconds):.2f}",
                f"{rushed.alone:.2f}",
                str(rushed.requests),
                str(rushed.turned_away),
                str(rushed.edits_of_a_card),
            )
        ],
    )


def _phase_table(audience: Audience) -> str:
    idle = audience.idle.rss
    return _table(
        ("Meanwhile", "At rest", "Peak", "Growth", "Longest lag of the loop, ms"),
        [
            (
                phase.name,
                _mib(idle),
                _mib(phase.peak.rss),
                f"**{_mib(phase.peak.rss - idle)}**",
                f"{phase.lag * 1000:.0f}",
            )
            for phase in audience.phases
        ]
        + [("at rest again", _mib(idle), _mib(audience.after.rss), "", "")],
    )


def _pull_table(audience: Audience) -> str:
    plain = statistics.median(audience.pulls[0].seconds)
    return _table(
        ("20 × 100 MB from", "Runs", "Median", "Least", "Most", "Ratio"),  # noqa: RUF001 - the sign that is meant
        [
            (
                pull.name,
                str(len(pull.seconds)),
                f"{statistics.median(pull.seconds):.2f}",
                f"{min(pull.seconds):.2f}",
                f"{max(pull.seconds):.2f}",
                f"{statistics.median(pull.seconds) / plain:.1f}",
            )
            for pull in audience.pulls
        ],
    )


def _told_table(audience: Audience) -> str:
    return _table(
        ("Final states due", "Came", "Late", "Sockets lost", "Seconds, median", "95 %", "Most"),
        [
            (
                f"{audience.due:,}",
                f"**{audience.told:,}**",
                str(audience.late),
                str(audience.lost),
                f"{audience.median:.2f}",
                f"{audience.most_of_them:.2f}",
                f"{max(audience.delays):.2f}",
            )
        ],
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _mib(size: int) -> str:
    return f"{size / MIB:.1f}"
