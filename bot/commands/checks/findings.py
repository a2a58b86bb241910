"""What `doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the table; `advice` is empty when all is well."""

    subject: str
    ok: bool
    found: str
    advice: str = ""
