"""Parses the time at which a pause ends."""

from __future__ import annotations

from bot.errors import StartupError
from bot.moderation.access.until import PastMomentError, moment_of


def until_of(text: str, *, now: float) -> int:
    """Convert the option `--until` to a Unix time. An ISO time without a zone is local time.

    Raises StartupError if the text is not a time, or is in the past.
    """
    try:
        return moment_of(text, now=now)
    except PastMomentError:
        raise StartupError(f"--until: {text} is not a time in the future.") from None
    except ValueError:
        raise StartupError(
            f"--until: {text!a} is not a time: write 30m, 2h, 1d, or 2026-12-31T18:00."
        ) from None
