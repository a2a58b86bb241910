"""Reads the option `--until`."""

from __future__ import annotations

from bot.errors import StartupError
from bot.moderation.access.until import PastMomentError, moment_of


def until_of(text: str, *, now: float) -> int:
    """Return the Unix time of the option; StartupError: it is not a time, or has passed."""
    try:
        return moment_of(text, now=now)
    except PastMomentError:
        raise StartupError(f"--until: {text} is not a time to come.") from None
    except ValueError:
        raise StartupError(
            f"--until: {text!a} is not a time: write 30m, 2h, 1d, or 2026-12-31T18:00."
        ) from None
