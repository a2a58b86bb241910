"""One process of the fleet. `PROOF_PAUSE` and `PROOF_NO_FENCE` make it stop before a POST."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import app
from bot.errors import ClapperError
from bot.jobs.service import JobService
from bot.pacing import EditIntervals, LookupDelays, PollIntervals, PostFence
from bot.runtime.log_setup import configure_logs
from bot.runtime.roles.role import Role, check_role
from bot.runtime.timing import Timing
from bot.settings.fields import load_settings

if TYPE_CHECKING:
    from bot.model import Job

TIMING = Timing(
    lookup_delays=LookupDelays(first=1.0, interval=0.5),
    poll_intervals=PollIntervals(first=1.0, growth=1.0, ceiling=1.0),
    edit_intervals=EditIntervals(state=0.5, first_minute=2.0),
    login_pause=0.2,
    restart_pause=0.2,
)


def stop_once(mark: Path, job_id: str) -> None:
    """Stop this process, unless a process has stopped already."""
    try:
        with mark.open("x") as file:
            file.write(f"{os.getpid()} {job_id}")
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGSTOP)


def pause_once_before_a_post(mark: Path) -> None:
    """Have the first process that stores an intent stop itself before the create request."""
    begin_submit = JobService.begin_submit

    async def begin_and_stop(*values: Any, **options: Any) -> Job | None:
        intended = await begin_submit(*values, **options)
        if intended is not None:
            stop_once(mark, intended.id)
        return intended

    JobService.begin_submit = begin_and_stop  # type: ignore[method-assign]


def main(role: Role) -> int:
    """Run the process, and return its exit code as the command `run` does."""
    if mark := os.environ.get("PROOF_PAUSE"):
        pause_once_before_a_post(Path(mark))
    if os.environ.get("PROOF_NO_FENCE"):
        PostFence.is_too_late = lambda _fence, _since: False  # type: ignore[method-assign]
    settings = load_settings(with_discord=role is not Role.WORKER)
    check_role(role, settings)
    configure_logs(settings)
    try:
        asyncio.run(app.run(settings, role=role, timing=TIMING))
    except ClapperError as error:
        sys.stderr.write(f"process.ended error={error!r}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Role(sys.argv[1])))
