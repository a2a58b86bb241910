"""FreshValues: hands what one step of a job has found out to the job's next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")

# The time for which a value is used. It is short, because the download links in a response may
# expire soon.
_FRESH_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fresh(Generic[_Value]):
    """A value, and the time (of the steady clock) at which it was put."""

    value: _Value
    at: float


class FreshValues(Generic[_Value]):
    """Keeps the values of the last 30 seconds, by job id.

    They are kept in memory only, because some of them contain secret links. A step has to do
    without a value after a restart, or if another process has run the previous step.
    `steady`: a clock that never jumps.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._values: dict[str, _Fresh[_Value]] = {}

    def put(self, job_id: str, value: _Value) -> None:
        """Keep a value for a job's next step, and drop the values that are too old."""
        self._values = {key: each for key, each in self._values.items() if self._is_fresh(each)}
        self._values[job_id] = _Fresh(value=value, at=self._steady())

    def pop(self, job_id: str) -> _Value | None:
        """Remove and return the value for a job, or return None if there is no fresh one."""
        kept = self._values.pop(job_id, None)
        return kept.value if kept is not None and self._is_fresh(kept) else None

    def _is_fresh(self, kept: _Fresh[_Value]) -> bool:
        return self._steady() - kept.at <= _FRESH_SECONDS
