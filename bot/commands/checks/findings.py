"""Defines a finding of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A line of `doctor`'s table; `advice` is empty if there is nothing to do."""

    subject: str
    ok: bool
    found: str
    advice: str = ""
