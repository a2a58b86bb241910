"""Builds the components with which several processes share one PostgreSQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.workers.leases import Lease, alone

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from bot.jobs.leases.heartbeat import Heartbeat
    from bot.runtime.resources import Resources
    from bot.runtime.roles.role import Role
    from storage.database import Database


async def open_heartbeat(
    resources: Resources, stack: AsyncExitStack, role: Role
) -> Heartbeat | None:
    """Record this process in the database. Returns None if the database is SQLite."""
    if not isinstance(resources.settings.database, str):
        return None
    from bot.runtime.parts.heartbeat import begin_heartbeat  # noqa: PLC0415 - SQLite needs none

    return await begin_heartbeat(resources, stack, role)


def lease_of(heartbeat: Heartbeat | None, database: Database) -> Lease:
    """Return the name under which this process claims jobs."""
    if heartbeat is None:
        return alone()
    return Lease(worker=heartbeat.worker_id, clock=database.wall)


def may_claim(heartbeat: Heartbeat | None, *, client: str | None) -> Callable[[], bool]:
    """Return the function that tells whether this process may claim jobs now.

    `client`: the only API client whose jobs are claimed, or None for all jobs. The
    settings of a process for one client may differ from the desk's.
    """
    if heartbeat is None:
        return lambda: True
    return heartbeat.may_claim if client is None else heartbeat.is_alive
