"""The command `doctor`: checks everything that the bot needs, and says what to fix."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.clock import examine_clock
from bot.commands.checks.configuration.changed_settings import examine_changes
from bot.commands.checks.configuration.costs import examine_costs
from bot.commands.checks.configuration.database import examine_database
from bot.commands.checks.configuration.hearing import examine_hearing
from bot.commands.checks.configuration.processes import examine_processes
from bot.commands.checks.configuration.unused_provider import unused_provider
from bot.commands.checks.discord_account import examine_account
from bot.commands.checks.failing_parts import examine_failing_parts
from bot.commands.checks.file_store import examine_store
from bot.commands.checks.findings import Finding, unreadable
from bot.commands.checks.kept_files import examine_kept_files
from bot.commands.checks.open_files import examine_open_files
from bot.commands.checks.owner.log_channel import examine_log_channel
from bot.commands.checks.owner.pause import examine_pause
from bot.commands.checks.prompt_services import examine_moderation, examine_words, examine_writer
from bot.commands.checks.provider import examine_backend
from bot.commands.checks.reachability import examine_api, examine_port, examine_public_url
from bot.commands.checks.reported_costs import examine_reported_costs
from bot.commands.checks.second_bot import examine_second_bot
from bot.commands.checks.voice_service import examine_voice
from bot.errors import ClapperError, StartupError, Trouble
from bot.media.process.ffmpeg import find_ffmpeg
from bot.runtime.reach import reach_of
from bot.settings.fields import Settings, load_settings
from bot.settings.spelling import unknown_names
from storage.errors import StorageError
from storage.snapshot import count_delivering, read_circuit, read_orphans

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

_MIB = 1024 * 1024
_LOW_DISK_MIB = 2048
# An error message about a setting begins with the setting's name, or with the file and the line.
_SENTENCE = re.compile(r"(\.env(?:, line \d+)?|\w+):? (.+)")
_TROUBLES = {
    Trouble.AUTH: ("refuses the key", "set another key"),
    Trouble.BALANCE: ("has no credit left for this account", "top up the account"),
    Trouble.SETUP: (
        "doesn't recognise the address or model",
        "correct its _BASE_URL or VIDEO_MODEL",
    ),
    Trouble.OUTAGE: ("can't be reached, or answers with errors", "check that it is running"),
}


class Doctor:
    """Prints a table of findings. The exit code is 1 if at least one of them is a problem."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add no options, because the settings decide everything."""

    def run(self, options: argparse.Namespace) -> int:  # noqa: ARG002 - it has no options
        """Run all checks, and print what they found.

        If settings are invalid, only their errors are printed, because the other checks depend on
        them.
        """
        try:
            settings = load_settings()
        except StartupError:
            _print([*_invalid_settings(), *_misspelt()])
            print("Fix these first: the other checks depend on them.")
            return 1
        findings = asyncio.run(examine(settings))
        _print(findings)
        return 0 if all(finding.ok for finding in findings) else 1


def _invalid_settings() -> list[Finding]:
    try:
        load_settings(with_discord=True)
    except StartupError as error:
        pairs = [_SENTENCE.fullmatch(line) for line in str(error).splitlines()]
        return [Finding(subject=pair[1], ok=False, found=pair[2]) for pair in pairs if pair]
    return []


def _misspelt() -> list[Finding]:
    try:
        unknown = unknown_names(os.environ, Settings)
    except UnicodeDecodeError:
        return []  # `_invalid_settings` has already reported that the file can't be read
    return [
        Finding(subject=each.name, ok=False, found="is not a setting", advice=each.advice)
        for each in unknown
        if each.meant
    ]


def _print(findings: Sequence[Finding]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = "!!" if not finding.ok else "ok" if finding.checked else "--"
        print(f"{mark:3} {finding.subject:{width}} {finding.found}")
        if finding.advice:
            print(f"{'':4}{'':{width}} -> {finding.advice}")


async def examine(settings: Settings) -> list[Finding]:
    """Run all checks and return their findings, in the order in which they are printed."""
    return [
        _spelling(settings),
        examine_changes(settings),
        examine_costs(settings),
        *await examine_account(
            settings.discord_token.get_secret_value(),
            settings.discord_api_url,
            reach_of(settings),
            owner_servers=settings.owner_server_ids,
        ),
        await asyncio.to_thread(examine_second_bot, settings.database, now=time.time()),
        await examine_backend(settings),
        await asyncio.to_thread(examine_pause, settings.database, now=time.time()),
        await asyncio.to_thread(examine_log_channel, settings.database),
        await asyncio.to_thread(_queue, settings),
        await asyncio.to_thread(_orphans, settings),
        await asyncio.to_thread(examine_reported_costs, settings),
        await examine_writer(settings),
        await examine_moderation(settings),
        await examine_words(settings),
        await examine_voice(settings),
        examine_hearing(settings),
        await _ffmpeg(),
        await asyncio.to_thread(examine_database, settings.database),
        await asyncio.to_thread(examine_processes, settings.database),
        await asyncio.to_thread(_disk, settings.data_dir),
        examine_open_files(),
        await examine_port(settings),
        examine_api(settings),
        await examine_public_url(settings.public_url),
        await asyncio.to_thread(_held, settings),
        await asyncio.to_thread(examine_failing_parts, settings.database),
        await examine_kept_files(settings),
        await examine_store(settings),
        await examine_clock(settings.discord_api_url),
    ]


def _spelling(settings: Settings) -> Finding:
    unknown, unused = unknown_names(os.environ, Settings), unused_provider(settings)
    without_effect = [*unknown, unused] if unused else unknown
    return Finding(
        subject="settings",
        ok=unused is None and not any(each.meant for each in unknown),
        found=", ".join(each.name for each in without_effect) or "no unknown settings",
        advice="; ".join(map(str, without_effect)),
    )


def _queue(settings: Settings) -> Finding:
    subject = "queue"
    backend = settings.video_backend
    try:
        circuit = read_circuit(settings.database, backend)
    except StorageError as error:
        return unreadable(subject, error)
    if circuit is None or not circuit.is_open:
        return Finding(subject=subject, ok=True, found="not paused")
    since = datetime.fromtimestamp(circuit.opened_at, UTC)
    reason, advice = _TROUBLES[circuit.reason]
    return Finding(
        subject=subject,
        ok=False,
        found=f"paused since {since:%Y-%m-%d %H:%M} UTC: {backend} {reason}",
        advice=f"{advice}, and restart the bot: it then tries one job immediately",
    )


def _orphans(settings: Settings) -> Finding:
    subject, backend = "orphaned jobs", settings.video_backend
    try:
        count = read_orphans(settings.database, backend)
    except StorageError as error:
        return unreadable(subject, error)
    if count is None:
        return Finding(
            subject=subject,
            ok=True,
            checked=False,
            found=f"not counted: the bot hasn't received a list of jobs from {backend} yet",
        )
    when = datetime.fromtimestamp(count.counted_at, UTC)
    number = str(count.orphans) if count.is_whole else f"at least {count.orphans}"
    return Finding(
        subject=subject,
        ok=True,
        found=f"{number} at {backend}, counted {when:%Y-%m-%d %H:%M} UTC"
        if count.orphans
        else f"none at {backend}, counted {when:%Y-%m-%d %H:%M} UTC",
        advice="the bot has no record of these jobs: if no other program uses this key, check "
        "the provider's bill"
        if count.orphans
        else "",
    )


async def _ffmpeg() -> Finding:
    try:
        path = await find_ffmpeg()
    except ClapperError as error:
        return Finding(subject="ffmpeg", ok=False, found="none is usable", advice=str(error))
    return Finding(subject="ffmpeg", ok=True, found=str(path))


def _disk(data_dir: Path) -> Finding:
    try:
        # The bot creates the folder if it is missing, but this check creates nothing. It therefore
        # tests the nearest parent folder that exists.
        folder = next(path for path in (data_dir, *data_dir.parents) if path.exists())
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free // _MIB
    except OSError as error:
        return Finding(
            subject="DATA_DIR",
            ok=False,
            found=f"{data_dir}: {error.strerror}",
            advice="set it to a folder that the bot can write to",
        )
    low = free < _LOW_DISK_MIB
    return Finding(
        subject="DATA_DIR",
        ok=not low,
        found=f"{data_dir} ({f'{free} MB' if low else f'{free / 1024:.1f} GB'} free)",
        advice="free some space: with less than 1 GB free, the bot starts no new video"
        if low
        else "",
    )


def _held(settings: Settings) -> Finding:
    subject = "undelivered videos"
    try:
        count = count_delivering(settings.database)
    except StorageError as error:
        return unreadable(subject, error)
    if count and not settings.public_url:
        return Finding(
            subject=subject,
            ok=False,
            found=f"{count} too large for Discord; without PUBLIC_URL, the bot can't link to them",
            advice="set PUBLIC_URL and restart the bot: it then delivers them",
        )
    return Finding(subject=subject, ok=True, found=str(count or "none"))
