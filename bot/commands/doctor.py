"""`doctor`: checks everything that the bot needs, and advises on problems."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.clock import examine_clock
from bot.commands.checks.findings import Finding
from bot.commands.checks.prompt_services import examine_moderation, examine_words, examine_writer
from bot.commands.checks.provider import examine_backend
from bot.commands.checks.reachability import examine_api, examine_port, examine_public_url
from bot.commands.checks.setting_names import unknown_names
from bot.commands.checks.token_shape import COPY_AGAIN, looks_like_a_token
from bot.commands.checks.unused_provider import unused_provider
from bot.commands.checks.voice_service import examine_voice
from bot.discord_bot.login import TokenRefusedError, fetch_bot_name
from bot.errors import ClapperError, DeliveryError, StartupError
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import find_ffmpeg
from bot.model import Trouble
from bot.settings.fields import load_settings
from storage.snapshot import count_delivering, read_circuit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from bot.settings.fields import Settings

_MIB = 1024 * 1024
_GIB = 1024 * _MIB
_LOW_DISK_MIB = 2048
_LOGIN_SECONDS = 10
_TROUBLES = {
    Trouble.AUTH: ("refuses the key", "set another key"),
    Trouble.BALANCE: ("has no credit left for this account", "top up the account"),
    Trouble.SETUP: ("has no such address or model", "correct its _BASE_URL or VIDEO_MODEL"),
    Trouble.OUTAGE: ("can't be reached, or answers with errors", "check that it is running"),
}


class Doctor:
    """Prints a table of findings; the exit code is 1 if a problem keeps the bot from working."""

    name = "doctor"
    summary = "check settings, services, ffmpeg, disk and network, and advise on problems"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare no options: the settings decide everything."""

    def run(self, options: argparse.Namespace) -> int:  # noqa: ARG002 - it has no options
        """Run all checks, even if one finds a problem."""
        try:
            settings = load_settings()
        except StartupError:
            _print(_invalid_settings())
            print("Correct these first: the other checks need them.")
            return 1
        findings = asyncio.run(examine(settings))
        _print(findings)
        return 0 if all(finding.ok for finding in findings) else 1


def _invalid_settings() -> list[Finding]:
    try:
        load_settings(with_discord=True)
    except StartupError as error:
        pairs = [line.partition(" ") for line in str(error).splitlines()]
        return [Finding(subject=name.rstrip(":"), ok=False, found=why) for name, _, why in pairs]
    return []


def _print(findings: Iterable[Finding]) -> None:
    for finding in findings:
        mark = "ok" if finding.ok else "!!"
        print(f"{mark:3} {finding.subject:16} {finding.found}")
        if finding.advice:
            print(f"{'':20} -> {finding.advice}")


async def examine(settings: Settings) -> list[Finding]:
    """Run each check and return its finding."""
    return [
        _spelling(settings),
        await _token(settings.discord_token.get_secret_value(), settings.discord_api_url),
        await examine_backend(settings),
        await asyncio.to_thread(_queue, settings),
        await examine_writer(settings),
        await examine_moderation(settings),
        await examine_words(settings),
        await examine_voice(settings),
        await _ffmpeg(),
        await asyncio.to_thread(_disk, settings.data_dir),
        await examine_port(settings),
        examine_api(settings),
        await examine_public_url(settings.public_url),
        await asyncio.to_thread(_held, settings),
        await _kept(settings),
        await examine_clock(settings.discord_api_url),
    ]


def _spelling(settings: Settings) -> Finding:
    unknown, unused = unknown_names(os.environ), unused_provider(settings)
    without_effect = [*unknown, unused] if unused else unknown
    return Finding(
        subject="settings",
        ok=unused is None and not any(each.meant for each in unknown),
        found=", ".join(each.name for each in without_effect) or "all names are known",
        advice="; ".join(map(str, without_effect)),
    )


async def _token(token: str, api_url: str) -> Finding:
    subject = "DISCORD_TOKEN"
    if not token:
        return Finding(
            subject=subject,
            ok=False,
            found="missing",
            advice="copy it from the Developer Portal, page Bot, into .env",
        )
    if not looks_like_a_token(token):
        return Finding(
            subject=subject,
            ok=False,
            found="does not look like a bot token",
            advice=COPY_AGAIN,
        )
    try:
        async with asyncio.timeout(_LOGIN_SECONDS):
            name = await fetch_bot_name(token, api_url=api_url)
    except TokenRefusedError:
        return Finding(
            subject=subject,
            ok=False,
            found="Discord refuses it",
            advice="copy it again from the Developer Portal, page Bot: a reset voids the old one",
        )
    except (StartupError, DeliveryError, TimeoutError) as error:
        return Finding(
            subject=subject,
            ok=False,
            found="looks right, but could not be checked with Discord",
            advice=str(error) or f"no answer from Discord in {_LOGIN_SECONDS} s: check the network",
        )
    return Finding(subject=subject, ok=True, found=f"Discord accepts it: {name}")


def _queue(settings: Settings) -> Finding:
    subject = "queue"
    backend = settings.video_backend
    try:
        circuit = read_circuit(settings.data_dir, backend)
    except sqlite3.Error as error:
        return Finding(
            subject=subject, ok=False, found=f"unreadable: {error}", advice="restore a backup"
        )
    if circuit is None or not circuit.is_open:
        return Finding(subject=subject, ok=True, found="running: new videos are ordered")
    since = datetime.fromtimestamp(circuit.opened_at, UTC)
    reason, advice = _TROUBLES[circuit.reason]
    return Finding(
        subject=subject,
        ok=False,
        found=f"paused since {since:%Y-%m-%d %H:%M} UTC: {backend} {reason}",
        advice=f"{advice}, and restart the bot: it then tries one job at once",
    )


async def _ffmpeg() -> Finding:
    try:
        path = await find_ffmpeg()
    except ClapperError as error:
        return Finding(subject="ffmpeg", ok=False, found="none is usable", advice=str(error))
    return Finding(subject="ffmpeg", ok=True, found=str(path))


def _disk(data_dir: Path) -> Finding:
    try:
        # A missing folder is created by the bot, not here: its nearest parent has to be writable.
        folder = next(path for path in (data_dir, *data_dir.parents) if path.exists())
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free // _MIB
    except OSError as error:
        return Finding(
            subject="DATA_DIR",
            ok=False,
            found=f"{data_dir}: {error.strerror}",
            advice="name a folder to which the bot can write",
        )
    low = free < _LOW_DISK_MIB
    return Finding(
        subject="DATA_DIR",
        ok=not low,
        found=f"{data_dir}: {f'{free} MB' if low else f'{free / 1024:.1f} GB'} free",
        advice="free some space: below 1 GB no new video is started" if low else "",
    )


def _held(settings: Settings) -> Finding:
    subject = "held videos"
    try:
        count = count_delivering(settings.data_dir)
    except sqlite3.Error as error:
        return Finding(
            subject=subject, ok=False, found=f"unreadable: {error}", advice="restore a backup"
        )
    if count and not settings.public_url:
        return Finding(
            subject=subject,
            ok=False,
            found=f"{count} too large for Discord, and without PUBLIC_URL there are no links",
            advice="set PUBLIC_URL and restart the bot: it then delivers them",
        )
    return Finding(subject=subject, ok=True, found=str(count or "none"))


async def _kept(settings: Settings) -> Finding:
    subject = "kept files"
    try:
        kept = (await Workspace(settings.data_dir).inventory()).kept
    except OSError as error:
        return Finding(
            subject=subject,
            ok=False,
            found=f"unreadable: {error.strerror}",
            advice="give the bot's user read access to DATA_DIR",
        )
    if not kept:
        return Finding(subject=subject, ok=True, found="none")
    gigabytes = sum(item.size for item in kept) / _GIB
    oldest = datetime.fromtimestamp(min(item.modified_at for item in kept), UTC)
    return Finding(
        subject=subject,
        ok=True,
        found=f"{len(kept)}, {gigabytes:.2f} of {settings.keep_gb:g} GB, oldest {oldest:%Y-%m-%d}",
        advice="the oldest are deleted within the hour; if this line stays, undelivered videos "
        "fill the space: raise KEEP_GB"
        if gigabytes > settings.keep_gb
        else "",
    )
