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
    """An error that the requester can fix; `key` names a sentence in `bot/locales`."""

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
    """The reason why a provider refuses all jobs: key, balance, address or model, or an outage."""

    AUTH = "auth"
    BALANCE = "balance"
    SETUP = "setup"
    OUTAGE = "outage"


class BackendError(ClapperError):
    """The provider refused or did not respond. Requesters never see the provider's `message`.

    `retry_after` is the delay in seconds that the provider asked for, or None.
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
    """A forged or stale webhook (status 401), or one whose body is unreadable (another 4xx)."""

    def __init__(self, reason: str, *, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class DeliveryError(ClapperError):
    """Discord could not be reached or temporarily refused the request. The step is retried.

    `retry_after`: the seconds until a retry can succeed, or None if unknown.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MediaError(ClapperError):
    """A media process failed; `stderr_tail` is for the log, not for the requester."""

    def __init__(self, reason: str, stderr_tail: str = "") -> None:
        super().__init__(reason)
        self.stderr_tail = stderr_tail


class NoClipYetError(MediaError):
    """Instead of the clip, a small page, JSON or nothing was sent. The clip may still appear."""


class UnfetchedError(MediaError):
    """An attachment could not be downloaded now."""


class UnconvertedError(MediaError):
    """The clip is not an MP4, and could not be converted to one."""


class StartupError(ClapperError):
    """The bot can't start. The message names the fix, and the process exits with code 2."""


class FirstError:
    """Keeps an error of one item from stopping the others, and raises the first at the end."""

    def __init__(self) -> None:
        self._error: Exception | None = None

    @contextmanager
    def deferred(self) -> Generator[None]:
        """Catch an error in the block, and keep it for `raise_if_any`."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised at the end
            self._error = self._error or error

    def raise_if_any(self) -> None:
        """Raise the first error that was kept."""
        if self._error is not None:
            raise self._error
