"""Role: the part of the work that a process does."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.errors import StartupError
from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.jobs.worker import Lane
    from bot.settings.fields import Settings


class Role(StrEnum):
    """The part of the work that a process does.

    One process with the role `all` does everything. Otherwise, one `desk` at a time speaks to
    Discord, and any number of workers do the rest.
    """

    ALL = "all"
    DESK = "desk"
    WORKER = "worker"


def check_role(role: Role, settings: Settings) -> None:
    """Raise StartupError if a setting that the role needs is missing."""
    if role is Role.ALL:
        return
    needed = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "STORE_URL": settings.store_url,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise StartupError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: a process "
            f"with --role {role} shares a PostgreSQL database and a bucket with the others; set "
            "both, or start one process without --role."
        )


def lanes_of(role: Role, lanes: Iterable[Lane]) -> tuple[Lane, ...]:
    """Return the lanes whose steps a process runs in its role.

    A worker takes new jobs in. The desk only looks for the cards that are missing.
    """
    if role is Role.ALL:
        return tuple(lanes)
    is_desk = role is Role.DESK
    mine: list[Lane] = []
    for lane in lanes:
        if JobState.RECEIVED not in lane.steps:
            if lane.needs_discord is is_desk:
                mine.append(lane)
        elif not is_desk:
            mine.append(replace(lane, needs_discord=False))
        elif not lane.narrated:
            mine.append(replace(lane, narrated=None))
    return tuple(mine)
