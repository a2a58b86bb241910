"""Configures logging from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import logs

if TYPE_CHECKING:
    from bot.settings.fields import Settings


def configure_logs(settings: Settings, *, level: str | None = None) -> None:
    """Configure logging, and hide the settings' secrets in logs.

    `level`: overrides the setting LOG_LEVEL.
    """
    logs.configure(
        level=level or settings.log_level,
        style=settings.log_format,
        secrets=settings.secrets,
    )
