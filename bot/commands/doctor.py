"""`doctor`: checks what the bot needs, and says what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding
from bot.commands.checks.narration import examine_voice
from bot.commands.checks.prompt_services import examine_moderation, examine_words, examine_writer
from bot.commands.checks.provider import examine_backend
from bot.commands.checks.reachability import examine_api, examine_port, examine_public_url
from bot.commands.checks.second_bot import examine_second_bot
from bot.commands.checks.setting_names import unknown_names
from bot.commands.checks.token_shape import COPY_ANEW, looks_like_a_token
from bot.commands.checks.unused_provider import unused_provider
from bot.discord_bot.login import TokenRefusedError, ask_name
from bot.errors import ClapperError, DeliveryError, StartupError
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import find_ffmpeg
from bot.model import Trouble
from bot.settings.fields import load_settings
from storage.database import make_folder
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
    Trouble.BALANCE: ("has no credit left for this account", "top the account up"),
    Trouble.SETUP: ("has no such address or model", "correct its _BASE_URL or VIDEO_MODEL"),
    Trouble.OUTAGE: ("can't be reached, or answers with errors", "look whether it runs"),
}


class Doctor:
    """Prints a table; its exit code is 1 when something keeps the bot from working."""

    name = "doctor"
    summary = "check token, services, voice, ffmpeg, disk, port and PUBLIC_URL; say what to do"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take none: all is settings."""

    def run(self, options: argparse.Namespace) -> int:  # noqa: ARG002 - there are none
        """Check everything, even if something fails."""
        try:
            settings = load_settings()
        except StartupError:
            _print(_wrong_settings())
            print("The rest can be checked once these are right.")
            return 1
        findings = asyncio.run(examine(settings))
        _print(findings)
        return 0 if all(finding.ok for finding in findings) else 1


def _wrong_settings() -> list[Finding]:
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
    """Look at each thing by itself."""
    return [
        _spelling(settings),
        await _token(settings.discord_token.get_secret_value(), settings.discord_api_url),
        await asyncio.to_thread(examine_second_bot, settings.data_dir, now=time.time()),
        await examine_backend(settings),
        await asyncio.to_thread(_line, settings),
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
    ]


def _spelling(settings: Settings) -> Finding:
    unknown, idle = unknown_names(os.environ), unused_provider(settings)
    names = [*(each.name for each in unknown), *([idle.name] if idle else ())]
    return Finding(
        subject="settings",
        ok=idle is None and not any(each.meant for each in unknown),
        found=", ".join(names) or "all are known",
        advice="; ".join(map(str, (*unknown, *([idle] if idle else ())))),
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
            found="not the shape of a bot token",
            advice=COPY_ANEW,
        )
    try:
        async with asyncio.timeout(_LOGIN_SECONDS):
            name = await ask_name(token, api_url=api_url)
    except TokenRefusedError:
        return Finding(
            subject=subject,
            ok=False,
            found="Discord refuses it",
            advice="copy it anew from the Developer Portal, page Bot: a reset voids the old one",
        )
    except (StartupError, DeliveryError, TimeoutError) as error:
        return Finding(
            subject=subject,
            ok=False,
            found="has the right shape, but could not be tried",
            advice=str(error) or f"no answer from Discord in {_LOGIN_SECONDS} s: check the network",
        )
    return Finding(subject=subject, ok=True, found=f"Discord knows it: {name}")


def _line(settings: Settings) -> Finding:
    subject = "jobs in line"
    backend = settings.video_backend
    try:
        circuit = read_circuit(settings.data_dir, backend)
    except sqlite3.Error as error:
        return Finding(
            subject=subject, ok=False, found=f"unreadable: {error}", advice="restore a backup"
        )
    if circuit is None or not circuit.is_open:
        return Finding(subject=subject, ok=True, found="go on: new videos are taken")
    since = datetime.fromtimestamp(circuit.opened_at, UTC)
    why, advice = _TROUBLES[circuit.reason]
    return Finding(
        subject=subject,
        ok=False,
        found=f"wait since {since:%Y-%m-%d %H:%M} UTC: {backend} {why}",
        advice=f"{advice}, and restart: then one job tries at once",
    )


async def _ffmpeg() -> Finding:
    try:
        path = await find_ffmpeg()
    except ClapperError as error:
        return Finding(subject="ffmpeg", ok=False, found="none that will do", advice=str(error))
    return Finding(subject="ffmpeg", ok=True, found=str(path))


def _disk(data_dir: Path) -> Finding:
    try:
        make_folder(data_dir)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
        free = shutil.disk_usage(data_dir).free // _MIB
    except OSError as error:
        return Finding(
            subject="DATA_DIR",
            ok=False,
            found=f"{data_dir}: {error.strerror}",
            advice="name a folder that can be written",
        )
    low = free < _LOW_DISK_MIB
    return Finding(
        subject="DATA_DIR",
        ok=not low,
        found=f"{data_dir}: {f'{free} MB' if low else f'{free / 1024:.1f} GB'} free",
        advice="make room: below 1 GB no new video is started" if low else "",
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
            found=f"{count} wait: too large for Discord, and there is no link to give",
            advice="set PUBLIC_URL and restart: then they are handed over",
        )
    return Finding(subject=subject, ok=True, found=str(count or "none"))


async def _kept(settings: Settings) -> Finding:
    subject = "kept files"
    try:
        kept = (await Workspace(settings.data_dir).stock()).kept
    except OSError as error:
        return Finding(
            subject=subject,
            ok=False,
            found=f"unreadable: {error.strerror}",
            advice="let the bot's user read DATA_DIR",
        )
    if not kept:
        return Finding(subject=subject, ok=True, found="none")
    gigabytes = sum(item.size for item in kept) / _GIB
    oldest = datetime.fromtimestamp(min(item.modified_at for item in kept), UTC)
    return Finding(
        subject=subject,
        ok=True,
        found=f"{len(kept)}, {gigabytes:.2f} of {settings.keep_gb:g} GB, oldest {oldest:%Y-%m-%d}",
        advice="the oldest go within the hour; if this stays, people wait for theirs: raise KEEP_GB"
        if gigabytes > settings.keep_gb
        else "",
    )
