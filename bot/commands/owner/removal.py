"""Deletes a person's videos and cards, through the running bot."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from bot.commands.running_bot import ask_running_bot, refused_by_bot
from bot.errors import StartupError
from bot.library.take_down import TakenDown
from bot.web.operator_routes import REMOVE_PATH, remove_subject
from storage.files.data_folder import DataInUseError, exclusive

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings.fields import Settings

# Discord lets the bot delete about one message per second.
_WITHIN_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """The result of deleting a person's videos and cards, and the sentence that reports it."""

    is_complete: bool
    sentence: str


async def remove_person(settings: Settings, user_id: int) -> Removal:
    """Delete a person's videos and cards.

    Raises StartupError if the bot isn't running, or runs without Discord.
    """
    # The lock of a PostgreSQL database is not in the folder. If no bot runs, the request fails.
    if not isinstance(settings.database, str):
        await asyncio.to_thread(_check_runs, settings.data_dir)
    answer = await ask_running_bot(
        settings,
        f"{REMOVE_PATH}{user_id}",
        subject=remove_subject(str(user_id)),
        within=_WITHIN_SECONDS,
    )
    if answer.status == HTTPStatus.CONFLICT:
        raise _no_bot()
    if answer.status != HTTPStatus.OK:
        raise refused_by_bot(settings, answer.status)
    done = TakenDown(**json.loads(answer.text))
    is_complete = not (done.cards_left or done.open_jobs)
    left = f"{_counted(done.cards_left, 'card')}, {_counted(done.open_jobs, 'open job')}"
    rest = "" if is_complete else f" Left: {left}."
    again = "" if is_complete else " Run it again in a few minutes."
    return Removal(
        is_complete=is_complete,
        sentence=f"Deleted {_counted(done.jobs, 'job')} and {_counted(done.cards, 'card')}."
        f"{rest}{again}",
    )


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def _check_runs(data_dir: Path) -> None:
    """Raise StartupError if the database is not open in another process."""
    if data_dir.is_dir():
        try:
            with exclusive(data_dir):
                pass
        except DataInUseError:
            return
    raise _no_bot()


def _no_bot() -> StartupError:
    return StartupError("Only the running bot can delete cards: start it, then try again.")
