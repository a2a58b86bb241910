"""Finds a provider that is set up and not chosen: title cards would be made instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings.fields import Settings

_TELLING = {
    "openai": "openai_base_url",
    "openrouter": "openrouter_api_key",
    "gemini": "gemini_api_key",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class UnusedProvider:
    """A setting of a backend that nobody chose."""

    name: str
    backend: str

    @property
    def advice(self) -> str:
        """What may be meant."""
        return f"set VIDEO_BACKEND={self.backend} to use it"

    def __str__(self) -> str:
        """Say what is idle, and what may be meant."""
        return f"{self.name} counts for nothing without VIDEO_BACKEND: {self.advice}"


def unused_provider(settings: Settings) -> UnusedProvider | None:
    """Return the first provider that is set up; None: there is none, or a backend was chosen."""
    given = settings.model_fields_set
    if "video_backend" in given:
        return None
    found = (
        UnusedProvider(name=name.upper(), backend=b)
        for b, name in _TELLING.items()
        if name in given
    )
    return next(found, None)
