"""The command `jobs`: lists, shows or cancels jobs, even while the bot is running."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from typing import TYPE_CHECKING

from bot.commands.cancel_job import cancel_job
from bot.commands.job_lines import describe, table_line
from bot.commands.lasting_stream import LastingStream
from bot.errors import StartupError
from bot.runtime.log_setup import configure_logs
from bot.settings.fields import load_settings
from bot.texts import Texts
from storage.errors import StorageError
from storage.snapshot import find_jobs, list_jobs

if TYPE_CHECKING:
    import argparse

    from bot.model import Job
    from storage.database import Source

_ENDED = 20


class Jobs:
    """Lists all open jobs and the newest ended ones, or shows or cancels one job."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options: the action and the job."""
        parser.add_argument(
            "action",
            nargs="?",
            choices=("list", "show", "cancel"),
            default="list",
            help="default: list, all open jobs and the newest others",
        )
        parser.add_argument(
            "job", nargs="?", metavar="JOB", help="for show and cancel: the beginning of its id"
        )

    def run(self, options: argparse.Namespace) -> int:
        """Perform the action. Only `cancel` changes anything."""
        if (options.action == "list") is (options.job is not None):
            raise StartupError("Type `jobs`, `jobs show JOB` or `jobs cancel JOB`.")
        settings = load_settings()
        configure_logs(settings, level="ERROR" if settings.log_level == "INFO" else None)
        out = LastingStream(sys.stdout)
        place = "DATABASE_URL" if isinstance(settings.database, str) else "DATA_DIR"
        try:
            if options.action == "list":
                return _list(settings.database, out)
            job = _find(settings.database, options.job)
        except StorageError as error:
            raise StartupError(f"{place}: the database can't be read ({error}).") from error
        if options.action == "show":
            out.write(describe(job, Texts.load()))
            return 0
        done = asyncio.run(cancel_job(settings, job))
        out.write(f"{done.sentence}\n")
        return 0 if done.cancelled else 1


def _list(source: Source, out: LastingStream) -> int:
    jobs = list_jobs(source, ended=_ENDED)
    now = time.time()
    for job in jobs:
        out.write(f"{table_line(job, now=now)}\n")
    if not jobs:
        place = "the database" if isinstance(source, str) else source
        out.write(f"There are no jobs in {place}.\n")
    return 0


def _find(source: Source, beginning: str) -> Job:
    if not re.fullmatch(r"[0-9a-f]{4,32}", beginning):
        raise StartupError(f"{beginning!a} is not a job: give at least 4 characters of its id.")
    match find_jobs(source, beginning):
        case [job]:
            return job
        case []:
            raise StartupError(f"There is no job {beginning}; `jobs` lists them.")
        case _:
            raise StartupError(f"Several jobs begin with {beginning}; give more of the id.")
