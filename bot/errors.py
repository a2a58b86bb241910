"""Exceptions, grouped by the role that can act on them.

ClapperError
├── UserError                   the requester can act on it
├── BackendError                the provider refused the request or failed
│   ├── UnconfirmedSubmitError  the provider may have created the job
│   └── RefusedVoiceError       the provider refused the sound sent with a create request
├── WebhookError                a webhook is forged or unreadable
├── DeliveryError               Discord failed temporarily
├── MediaError                  ffmpeg or another media program failed
├── FileStoreError              the store of kept files failed
└── StartupError                the operator has to change a setting
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class ClapperError(Exception):
    """The base class of all errors that Clapper itself raises."""


class UserError(ClapperError):
    """An error that the requester can fix.

    `key`: the locale key of the sentence that explains the error.
    """

    def __init__(self, key: str, **fields: object) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields

    @property
    def storable_fields(self) -> dict[str, str | float]:
        """The fields as numbers and texts."""
        return {
            name: value if isinstance(value, int | float) else str(value)
            for name, value in self.fields.items()
        }


class ErrorKind(StrEnum):
    """The kinds of errors that a provider can report."""

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

    `AUTH`: the API key is refused. `BALANCE`: the account has no credit. `SETUP`: the address or
    the model is wrong. `OUTAGE`: the provider can't be reached or fails.
    """

    AUTH = "auth"
    BALANCE = "balance"
    SETUP = "setup"
    OUTAGE = "outage"


class BackendError(ClapperError):
    """The provider refused a request or did not respond.

    `message`: the provider's own words, which requesters never see.
    `retry_after`: the delay in seconds that the provider asked for, or None.
    """

    def __init__(self, kind: ErrorKind, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.retry_after = retry_after


class UnconfirmedSubmitError(BackendError):
    """The provider may have created a job and charged for it. The POST must not be repeated."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.TRANSIENT, message)


class RefusedVoiceError(BackendError):
    """The provider has clearly refused the sound that was sent with a create request.

    The provider has not accepted the job. It may accept the same request without the sound.
    """


class WebhookError(ClapperError):
    """A webhook can't be accepted.

    `status` is 401 if the webhook is forged or too old, and another 4xx if its body can't be read.
    """

    def __init__(self, reason: str, *, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class DeliveryError(ClapperError):
    """Discord could not be reached, or refused a request temporarily. The step is retried.

    `retry_after`: the seconds until a retry can succeed, or None if unknown.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MediaError(ClapperError):
    """A media program failed.

    `stderr_tail`: the end of its error output. It is only logged, and not shown to the requester.
    """

    def __init__(self, reason: str, stderr_tail: str = "") -> None:
        super().__init__(reason)
        self.stderr_tail = stderr_tail


class NoClipYetError(MediaError):
    """The provider sent a small page, JSON or nothing instead of the clip.

    A retry may get the clip.
    """


class UnfetchedError(MediaError):
    """An attachment could not be downloaded, but a retry may succeed."""


class UnconvertedError(MediaError):
    """The clip is not an MP4 file, and could not be converted to one."""


class FileStoreError(ClapperError, OSError):
    """The store of kept files can't be reached, or refuses an operation. A retry may succeed.

    `is_refusal`: whether the store has answered and refused. If so, the operator has to change a
    setting.
    """

    def __init__(self, text: str, *, is_refusal: bool = False) -> None:
        super().__init__(text)
        self.is_refusal = is_refusal


class StartupError(ClapperError):
    """The bot can't start.

    The message says what the operator has to fix. The process exits with code 2.
    """


class DeskLostError(ClapperError):
    """The process must stop speaking to Discord, because another process may now be the desk.

    The process exits with code 1, and is started again as a standby.
    """


class FirstError:
    """Lets all operations run even if one of them fails, and raises the first error at the end."""

    def __init__(self) -> None:
        self._error: Exception | None = None

    @contextmanager
    def deferred(self) -> Generator[None]:
        """Catch an error from the `with` block. `raise_if_any` raises the error later."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised by `raise_if_any`
            self._error = self._error or error

    def raise_if_any(self) -> None:
        """Raise the first error that `deferred` caught, if there was one."""
        if self._error is not None:
            raise self._error
