"""The command `owner`: pauses orders, blocks people and servers, and shows access settings."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.lasting_stream import LastingStream
from bot.commands.owner.change import change_access
from bot.commands.owner.grants import grant
from bot.commands.owner.lines import audit_line, setting_line
from bot.commands.owner.removal import remove_person
from bot.commands.owner.spending import show_spending
from bot.commands.owner.until import until_of
from bot.errors import StartupError
from bot.runtime.log_setup import configure_logs
from bot.settings.fields import load_settings
from storage.access.changes import TARGETED, is_valid
from storage.access.pause import MAX_WORDS, Pause, is_words
from storage.access.settings import EVERYWHERE, MAX_TARGETS, Change, Outcome, Rule, Setting
from storage.errors import StorageError
from storage.snapshot import list_access_settings, list_audit

if TYPE_CHECKING:
    import argparse

    from storage.database import Source

_ID = re.compile(r"(?:<@!?)?([1-9][0-9]{4,18})>?", re.ASCII)
_ENTRIES = 50
_NONE = "none"
# The settings that the action `set` can change. The others have actions of their own.
_SETTABLE = {
    name.replace("_", "-"): name
    for name in (
        Setting.CHANNEL,
        Setting.ROLE,
        Setting.ROLE_DAY,
        Setting.PERSON_DAY,
        Setting.SERVER_DAY,
        Setting.AGE_RESTRICTED,
        Setting.LANGUAGE,
        Setting.SPOILER,
        Setting.NOTIFY,
        Setting.LOG_CHANNEL,
    )
}
_BLOCKS = {
    "block": (Setting.PERSON, Rule.DENY),
    "unblock": (Setting.PERSON, None),
    "block-server": (Setting.SERVER, Rule.DENY),
    "unblock-server": (Setting.SERVER, None),
}
_PAUSES = {
    "pause": "refuse new orders; what is in progress continues",
    "drain": "refuse new orders, and send no queued ones to the video service",
}


class Owner:
    """Changes access settings that apply to all servers.

    If the bot is running, it makes the changes.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the actions and their options."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, summary in _PAUSES.items():
            action = actions.add_parser(name, help=summary)
            action.add_argument(
                "--until",
                metavar="TIME",
                help="when it ends: 30m, 2h, 1d, or 2026-12-31T18:00; default: at `resume`",
            )
            action.add_argument("words", nargs="+", metavar="WORDS", help="what people are told")
        actions.add_parser("resume", help="accept orders again")
        for name in _BLOCKS:
            action = actions.add_parser(name, help=f"{name.replace('-', ' a ')}, everywhere")
            action.add_argument("target", metavar="ID", help="the id in Discord")
        action = actions.add_parser("set", help="set a rule or a limit for every server")
        action.add_argument("name", choices=tuple(_SETTABLE))
        action.add_argument(
            "value",
            metavar="VALUE",
            help="allow or deny; a number of videos in 24 hours; on; a language, such as de; "
            "always, never, or late:10 (minutes); none removes the setting",
        )
        action.add_argument(
            "--for", dest="target", metavar="ID", help="the channel or role; for role-day: boosters"
        )
        action = actions.add_parser(
            "remove-person",
            help="delete a person's videos and cards, through the running bot",
        )
        action.add_argument("target", metavar="ID", help="the person's id in Discord")
        action = actions.add_parser("spending", help="show what was spent in a month")
        action.add_argument("--month", metavar="YYYY-MM", help="default: this month")
        action.add_argument(
            "-o", dest="target", type=Path, metavar="FILE", help="save a picture too, as a PNG file"
        )
        action = actions.add_parser("grant", help="let a person spend more in this month")
        action.add_argument("target", metavar="ID", help="the person's id in Discord")
        action.add_argument("amount", metavar="AMOUNT", help="US dollars, such as 5 or 2.50")
        action.add_argument(
            "--id",
            dest="grant_id",
            metavar="GRANT",
            help="repeat the grant with this id, which counts only once",
        )
        actions.add_parser("settings", help="show what is set")
        actions.add_parser("audit", help=f"show the newest {_ENTRIES} changes, newest first")

    def run(self, options: argparse.Namespace) -> int:
        """Perform the action that the options name."""
        settings = load_settings()
        configure_logs(settings, level="ERROR" if settings.log_level == "INFO" else None)
        out = LastingStream(sys.stdout)
        try:
            match options.action:
                case "settings":
                    return _show_settings(settings.database, out)
                case "audit":
                    return _show_audit(settings.database, out)
                case "spending":
                    return show_spending(settings, out, month=options.month, target=options.target)
                case "remove-person":
                    done = asyncio.run(remove_person(settings, _id(options.target)))
                    out.write(f"{done.sentence}\n")
                    return 0 if done.is_complete else 1
                case "grant":
                    person = _id(options.target)
                    done = asyncio.run(grant(settings, person, options.amount, options.grant_id))
                    out.write(f"{done}\n")
                    return 0
                case _:
                    change = _change(options, now=time.time())
                    outcome = asyncio.run(change_access(settings, change))
        except StorageError as error:
            raise StartupError(f"DATA_DIR: the database can't be used ({error}).") from error
        if outcome is Outcome.FULL:
            raise StartupError(f"{MAX_TARGETS} of these are set already: remove one first.")
        is_changed = outcome is Outcome.CHANGED
        out.write(f"{_done(change) if is_changed else 'Nothing changed: that already applies.'}\n")
        return 0


def _change(options: argparse.Namespace, *, now: float) -> Change:
    match options.action:
        case "resume":
            return Change(scope=EVERYWHERE, name=Setting.PAUSE, value=None)
        case "pause" | "drain":
            return Change(scope=EVERYWHERE, name=Setting.PAUSE, value=str(_pause(options, now=now)))
        case "set":
            return _set(options)
        case action:
            name, value = _BLOCKS[action]
            return Change(scope=EVERYWHERE, name=name, target=_id(options.target), value=value)


def _pause(options: argparse.Namespace, *, now: float) -> Pause:
    words = " ".join(options.words)
    if not is_words(words):
        raise StartupError(f"WORDS: write one line of at most {MAX_WORDS} characters.")
    until = until_of(options.until, now=now) if options.until else None
    return Pause(words=words, until=until, is_drain=options.action == "drain")


def _set(options: argparse.Namespace) -> Change:
    name = _SETTABLE[options.name]
    is_for_boosters = name is Setting.ROLE_DAY and options.target == "boosters"
    if (options.target is None) is (name in TARGETED):
        needs = "needs --for ID" if name in TARGETED else "has no --for"
        raise StartupError(f"set {options.name} {needs}.")
    target = 0 if options.target is None or is_for_boosters else _id(options.target)
    value = None if options.value == _NONE else options.value
    change = Change(scope=EVERYWHERE, name=name, target=target, value=value)
    if not is_valid(change):
        raise StartupError(f"set {options.name}: {options.value!a} is not a valid value.")
    return change


def _id(text: str) -> int:
    found = _ID.fullmatch(text)
    if found is None or int(found[1]) >= 2**63:
        raise StartupError(
            f"{text!a} is not an id of Discord: switch on its Developer Mode, then right-click "
            "and choose Copy ID."
        )
    return int(found[1])


def _done(change: Change) -> str:
    if change.name is not Setting.PAUSE:
        return "Saved. The change applies from the next order on."
    if change.value is None:
        return "Orders are accepted again."
    pause = Pause.parse(change.value)
    end = "`owner resume`"
    if pause.until is not None:
        end = f"{datetime.fromtimestamp(pause.until, UTC):%Y-%m-%d %H:%M} UTC"
    queued = "queued jobs wait" if pause.is_drain else "queued jobs continue"
    return f"New orders are refused until {end}; {queued}, and jobs at the video service continue."


def _show_settings(source: Source, out: LastingStream) -> int:
    rows = list_access_settings(source)
    for row in rows:
        out.write(f"{setting_line(row, now=time.time())}\n")
    if not rows:
        out.write("Nothing is set: orders are accepted as the settings in .env say.\n")
    return 0


def _show_audit(source: Source, out: LastingStream) -> int:
    entries = list_audit(source, limit=_ENTRIES)
    for entry in entries:
        out.write(f"{audit_line(entry)}\n")
    if not entries:
        out.write("Nothing has been changed yet.\n")
    return 0
