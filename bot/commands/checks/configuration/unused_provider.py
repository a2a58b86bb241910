"""Finds a provider that has settings but is not chosen, so the bot makes title cards instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings.fields import Settings

_REQUIRED_SETTINGS = {
    "openai": "openai_base_url",
    "openrouter": "openrouter_api_key",
    "gemini": "gemini_api_key",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class UnusedProvider:
    """A setting of a provider that VIDEO_BACKEND does not choose."""

    name: str
    backend: str

    @property
    def advice(self) -> str:
        """The change that makes the bot use the provider."""
        return f"set VIDEO_BACKEND={self.backend} to use it"

    def __str__(self) -> str:
        """State which setting has no effect, and how to change that."""
        return f"{self.name} has no effect without VIDEO_BACKEND: {self.advice}"


def unused_provider(settings: Settings) -> UnusedProvider | None:
    """Return the first provider with settings, or None if VIDEO_BACKEND is set or there is none."""
    given = settings.model_fields_set
    if "video_backend" in given:
        return None
    found = (
        UnusedProvider(name=name.upper(), backend=backend)
        for backend, name in _REQUIRED_SETTINGS.items()
        if name in given
    )
    return next(found, None)
