"""The limits on the number of jobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """Limits on open jobs, for one requester and in all, and on new jobs within 24 hours."""

    open_per_user: int
    open_in_all: int
    per_day: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CapUsage:
    """The number of jobs that count towards each cap."""

    open_of_user: int
    open_in_all: int
    today: int
