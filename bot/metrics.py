"""Metrics of the process, which are collected only if its operator reads them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.model import JobChanged


class Metrics:
    """The metrics of a process whose operator does not read them. Nothing is collected."""

    def on_job_changed(self, event: JobChanged) -> None:
        """Count a job's new state, and record how long the job was in the previous state."""

    def count_webhook(self, result: str) -> None:
        """Count a webhook. `result` is "new", "repeated", "refused" or "other"."""

    def count_discord_call(self, method: str, route: str, status: int | str) -> None:
        """Count a request to Discord. `route` is a path in which ids are replaced."""

    def count_delivery(self, way: str) -> None:
        """Count a delivery. `way` is "upload", "link" or "held"."""

    def count_answer(self, way: str) -> None:
        """Count an order in Discord.

        `way` says when the response was sent. `stored`: after the job was stored. `unsaved`: before
        it was stored. `too_late`: never, because Discord no longer accepted a response.
        """

    def count_skipped_event(self, event: str) -> None:
        """Count a gateway event that discord.py could not parse."""

    def count_part_failure(self, part: str) -> None:
        """Count a failure of a component. The component is then restarted."""

    def count_refused_order(self, reason: str) -> None:
        """Count an order that was refused because of its place or its requester."""

    def set_ledger(
        self, totals: Mapping[tuple[str, str], int], reported: Mapping[tuple[str, str], int]
    ) -> None:
        """Set the sums of the ledger in micro-dollars. They survive a restart.

        `totals`: the sums of the entries, by their subject and kind.
        `reported`: the sums of the reported costs, by backend and source.
        """

    def set_processes(self, silences: Mapping[str, Sequence[float]], *, due: float) -> None:
        """Set the metrics of the processes that share the database.

        `silences`: the seconds since the last beat of each process, by role.
        `due`: the number of seconds since the oldest waiting step became due.
        """

    def expose(
        self,
        jobs: Mapping[tuple[str, str], int],  # noqa: ARG002 - nothing is collected
        orphans: Mapping[str, int] | None = None,  # noqa: ARG002 - same
    ) -> bytes:
        """Return all metrics in Prometheus's text format.

        `jobs`: the number of jobs, by state and backend.
        `orphans`: the number of orphaned jobs, by backend.
        """
        return b""

    async def watch_loop(self) -> None:
        """Measure the lag of the event loop. Runs until cancelled."""
        await asyncio.Event().wait()  # the supervisor restarts a part that returns
