"""Tells other components of this process about committed changes to jobs."""

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
    """Calls all subscribers with each event. Subscribers must return quickly."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[JobChanged], None]] = []
        self._own_subscribers: list[Callable[[JobChanged], None]] = []

    def subscribe(
        self, subscriber: Callable[[JobChanged], None], *, only_own: bool = False
    ) -> None:
        """Add a subscriber. It is called with every event from now on.

        `only_own`: whether to leave out the changes that other processes have made.
        """
        (self._own_subscribers if only_own else self._subscribers).append(subscriber)

    def publish(self, event: JobChanged) -> None:
        """Call all subscribers with an event. If one of them fails, the others are still called."""
        self._call((*self._own_subscribers, *self._subscribers), event)

    def publish_foreign(self, event: JobChanged) -> None:
        """Publish an event from another process. Subscribers with `only_own` are not called."""
        self._call(tuple(self._subscribers), event)

    def _call(
        self, subscribers: tuple[Callable[[JobChanged], None], ...], event: JobChanged
    ) -> None:
        for subscriber in subscribers:
            try:
                subscriber(event)
            except Exception:  # the change is already committed, so the error is only logged
                log.exception("event.subscriber_failed id=%s", event.job.id)


class ListChange(StrEnum):
    """A change to the list of jobs of an API client."""

    CREATED = "created"
    DELETED = "deleted"


ListFollower = Callable[[ListChange, str], None]
"""A function that is called with a change to a client's list of jobs, and with the job's id."""


class JobFeed:
    """Tells followers about changes to a job, or about changes to a client's list of jobs.

    `on_job_changed` must be subscribed to the event bus.
    """

    def __init__(self) -> None:
        self._followers: dict[str, list[Callable[[Job], None]]] = {}
        self._list_followers: dict[str, list[ListFollower]] = {}

    def follow(self, job_id: str, follower: Callable[[Job], None]) -> Callable[[], None]:
        """Call `follower` after each change to a job.

        Returns a function that removes the follower.
        """
        return _add(self._followers, job_id, follower)

    def follow_list(self, client: str, follower: ListFollower) -> Callable[[], None]:
        """Call `follower` after each change to a client's list of jobs.

        Returns a function that removes the follower.
        """
        return _add(self._list_followers, client, follower)

    def on_job_changed(self, event: JobChanged) -> None:
        """Call the followers of the job.

        For a new job, also call the followers of the client's list.
        """
        for follower in tuple(self._followers.get(event.job.id, ())):
            follower(event.job)
        if event.previous is None:
            self._tell_list(event.job, ListChange.CREATED)

    def on_job_deleted(self, job: Job) -> None:
        """Call the followers of the client's list of jobs after a job was deleted from it."""
        self._tell_list(job, ListChange.DELETED)

    def _tell_list(self, job: Job, change: ListChange) -> None:
        client = job.client.name if job.client else ""
        for follower in tuple(self._list_followers.get(client, ())):
            follower(change, job.id)


def _add(groups: dict[str, list[_Follower]], name: str, follower: _Follower) -> Callable[[], None]:
    """Add a follower to a group, and return a function that removes the follower."""
    groups.setdefault(name, []).append(follower)

    def unfollow() -> None:
        followers = groups.get(name, [])
        if follower in followers:
            followers.remove(follower)
        if not followers:
            groups.pop(name, None)

    return unfollow
