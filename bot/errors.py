"""What can go wrong, told apart by who can do something about it.

ClapperError
├── UserError                   a person can act on it
├── BackendError                the provider refused or failed
│   └── UnconfirmedSubmitError  nobody knows whether the provider took the job
├── WebhookError                a webhook that nobody we trust has sent
├── DeliveryError               Discord can't take it now
├── MediaError                  ffmpeg could not do it
└── StartupError                the operator has to change something
"""

from __future__ import annotations

from enum import StrEnum


class ClapperError(Exception):
    """Anything that Clapper raises on purpose."""


class UserError(ClapperError):
    """Something that the person can put right; `key` names a sentence in `bot/locales`."""

    def __init__(self, key: str, **fields: object) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields


class ErrorKind(StrEnum):
    """What a provider's refusal means for the job."""

    MODERATED = "moderated"
    INVALID = "invalid"
    AUTH = "auth"
    BALANCE = "balance"
    SETUP = "setup"
    RATE = "rate"
    TRANSIENT = "transient"
    GONE = "gone"
    INTERNAL = "internal"


class BackendError(ClapperError):
    """The provider said no, or said nothing; `message` is theirs and is never shown raw.

    `retry_after` is in seconds, when the provider named it.
    """

    def __init__(self, kind: ErrorKind, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.retry_after = retry_after


class UnconfirmedSubmitError(BackendError):
    """The one POST may or may not have created, and charged, a job: it is never repeated."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.TRANSIENT, message)


class WebhookError(ClapperError):
    """A forged or stale webhook (status 401), or a genuine one that is unreadable (400)."""

    def __init__(self, reason: str, *, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class DeliveryError(ClapperError):
    """Discord could not be reached or refused for now; the step is tried again.

    `retry_after` is in seconds, if it is known when that can work.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MediaError(ClapperError):
    """A media process failed; `stderr_tail` is for the log, not for the person."""

    def __init__(self, reason: str, stderr_tail: str = "") -> None:
        super().__init__(reason)
        self.stderr_tail = stderr_tail


class StartupError(ClapperError):
    """One sentence for the operator that names the fix; the process ends with code 2."""
