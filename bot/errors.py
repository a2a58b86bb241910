"""Exceptions, grouped by the role that can act on them.

ClapperError
├── UserError                   the requester can act on it
├── BackendError                the provider refused the request or failed
│   └── UnconfirmedSubmitError  the provider may have created the job
├── WebhookError                a webhook is forged or unreadable
├── DeliveryError               Discord failed temporarily
├── MediaError                  ffmpeg or another media program failed
└── StartupError                the operator has to change a setting
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class ClapperError(Exception):
    """The base class of the errors that Clapper raises on purpose."""


class UserError(ClapperError):
    """An error that the requester can fix. `key`: the locale key of a sentence about it."""

    def __init__(self, key: str, **fields: object) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields


class ErrorKind(StrEnum):
    """The kinds of provider errors."""

    MODERATED = "moderated"
    INVALID = "invalid"
    AUTH = "auth"
    BALANCE = "balance"
    SETUP = "setup"
    UNEXPLAINED = "unexplained"
    RATE = "rate"
    TRANSIENT = "transient"
    GONE = "gone"
    INTERNAL = "internal"


class Trouble(StrEnum):
    """The reason why a provider refuses all jobs.

    `AUTH`: it rejects the API key. `BALANCE`: the account has no credit. `SETUP`: it doesn't know
    the address or the model. `OUTAGE`: it is down.
    """

    AUTH = "auth"
    BALANCE = "balance"
    SETUP = "setup"
    OUTAGE = "outage"


class BackendError(ClapperError):
    """The provider refused a request or did not respond.

    `message` is the provider's own text, which requesters never see. `retry_after` is the delay in
    seconds that the provider asked for, or None if it did not ask for one.
    """

    def __init__(self, kind: ErrorKind, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.retry_after = retry_after


class UnconfirmedSubmitError(BackendError):
    """The provider may have created and charged for a job, so the POST must not be repeated."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.TRANSIENT, message)


class WebhookError(ClapperError):
    """A webhook was refused.

    `status`: 401 if it is forged or too old, another 4xx if unreadable.
    """

    def __init__(self, reason: str, *, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class DeliveryError(ClapperError):
    """Discord could not be reached, or temporarily refused a request. The job's step is retried.

    `retry_after`: the seconds until a retry can succeed, or None if that is unknown.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MediaError(ClapperError):
    """A media program failed. `stderr_tail`: the end of its error output, only for the log."""

    def __init__(self, reason: str, stderr_tail: str = "") -> None:
        super().__init__(reason)
        self.stderr_tail = stderr_tail


class NoClipYetError(MediaError):
    """The provider sent something else or nothing instead of the clip.

    It may still appear later.
    """


class UnfetchedError(MediaError):
    """An attachment could not be downloaded. A retry may succeed."""


class UnconvertedError(MediaError):
    """The clip is not an MP4 file, and could not be converted to one."""


class StartupError(ClapperError):
    """The bot can't start. The message says how to fix that, and the process exits with code 2."""


class FirstError:
    """Lets a loop process all items even if some fail. The first error is raised at the end."""

    def __init__(self) -> None:
        self._error: Exception | None = None

    @contextmanager
    def deferred(self) -> Generator[None]:
        """Catch an exception in the block, and keep the first one for `raise_if_any`."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised at the end
            self._error = self._error or error

    def raise_if_any(self) -> None:
        """Raise the first exception that was caught, if any."""
        if self._error is not None:
            raise self._error
