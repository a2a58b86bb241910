"""Finds a provider that has been configured but not chosen.

The operator probably forgot to set VIDEO_BACKEND. If it is not set, the bot makes title cards.
"""

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
    """A setting that has no effect, because it belongs to a provider that was not chosen."""

    name: str
    backend: str

    @property
    def advice(self) -> str:
        """The advice on how to make the bot use the setting's provider."""
        return f"set VIDEO_BACKEND={self.backend} to use it"

    def __str__(self) -> str:
        """Return a sentence that says which setting has no effect, and how to use it."""
        return f"{self.name} has no effect without VIDEO_BACKEND: {self.advice}"


def unused_provider(settings: Settings) -> UnusedProvider | None:
    """Return a provider that has been configured but not chosen, or None.

    If VIDEO_BACKEND is set, the choice is deliberate, so None is returned.
    """
    given = settings.model_fields_set
    if "video_backend" in given:
        return None
    found = (
        UnusedProvider(name=name.upper(), backend=backend)
        for backend, name in _REQUIRED_SETTINGS.items()
        if name in given
    )
    return next(found, None)
