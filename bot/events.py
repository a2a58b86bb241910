"""In-process publish/subscribe for committed job changes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from bot.model import Job, JobChanged

log = logging.getLogger(__name__)

_Follower = TypeVar("_Follower")


class EventBus:
    """Calls every subscriber with each event. Subscribers must return quickly."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[JobChanged], None]] = []

    def subscribe(self, subscriber: Callable[[JobChanged], None]) -> None:
        """Add a subscriber."""
        self._subscribers.append(subscriber)

    def publish(self, event: JobChanged) -> None:
        """Call all subscribers, even if one of them fails."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:  # the change is already committed
                log.exception("event.subscriber_failed id=%s", event.job.id)


class ListChange(StrEnum):
    """A change to the list of a client's jobs."""

    CREATED = "created"
    DELETED = "deleted"


ListFollower = Callable[[ListChange, str], None]
"""A function that is called with a change to the list and the id of the job."""


class JobFeed:
    """Passes each job's changes on to its followers, and list changes to the client's followers.

    `on_job_changed` has to be subscribed to the bus.
    """

    def __init__(self) -> None:
        self._followers: dict[str, list[Callable[[Job], None]]] = {}
        self._list_followers: dict[str, list[ListFollower]] = {}

    def follow(self, job_id: str, follower: Callable[[Job], None]) -> Callable[[], None]:
        """Call `follower` after each committed change of a job; return a function to stop that."""
        return _add(self._followers, job_id, follower)

    def follow_list(self, client: str, follower: ListFollower) -> Callable[[], None]:
        """Call `follower` after each change to a client's list; return a function to stop that."""
        return _add(self._list_followers, client, follower)

    def on_job_changed(self, event: JobChanged) -> None:
        """Call the followers of the job and, for a new job, those of the client's list."""
        for follower in tuple(self._followers.get(event.job.id, ())):
            follower(event.job)
        if event.previous is None:
            self._tell_list(event.job, ListChange.CREATED)

    def on_job_deleted(self, job: Job) -> None:
        """Call the followers of the list from which a client's job was deleted."""
        self._tell_list(job, ListChange.DELETED)

    def _tell_list(self, job: Job, change: ListChange) -> None:
        client = job.client.name if job.client else ""
        for follower in tuple(self._list_followers.get(client, ())):
            follower(change, job.id)


def _add(groups: dict[str, list[_Follower]], name: str, follower: _Follower) -> Callable[[], None]:
    """Add a follower to a group, and return the function that removes it."""
    groups.setdefault(name, []).append(follower)

    def unfollow() -> None:
        followers = groups.get(name, [])
        if follower in followers:
            followers.remove(follower)
        if not followers:
            groups.pop(name, None)

    return unfollow
