"""Shows the progress of a job on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.api_clients.status import public_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.commands.lasting_stream import LastingStream
    from bot.errors import Trouble
    from bot.model import Job
    from bot.texts import Texts

_BAR_WIDTH = 30


class ProgressBar:
    """Shows progress as a bar in a terminal, or as one line for each change in other outputs."""

    def __init__(
        self,
        out: LastingStream,
        texts: Texts,
        trouble: Callable[[], Trouble | None] = lambda: None,
    ) -> None:
        self._out = out
        self._texts = texts
        self._trouble = trouble
        self._is_terminal = out.isatty()
        self._drawn = ""

    def draw(self, job: Job) -> None:
        """Show the job's state and progress."""
        public = public_job(job, self._texts, trouble=self._trouble())
        filled = "█" * (public.progress * _BAR_WIDTH // 100)
        stage = public.waiting or self._texts(f"state.{job.state}")
        line = f"{filled:░<{_BAR_WIDTH}} {public.progress:3d}%  {stage}"
        if line != self._drawn:
            self._out.write(f"\r\x1b[K{line}" if self._is_terminal else f"{line}\n")
            self._drawn = line

    def close(self) -> None:
        """End the line on which the bar is drawn."""
        if self._is_terminal and self._drawn:
            self._out.write("\n")
