"""Lists the settings that differ from their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.commands.checks.findings import Finding, without_password

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings.fields import Settings

# The additional fields of create requests may contain a provider's key.
_UNSHOWN = frozenset({"openai_extra"})


def examine_changes(settings: Settings) -> Finding:
    """Report the settings that differ from their defaults. The values of secrets are not shown."""
    return Finding(
        subject="your settings",
        ok=True,
        found=", ".join(_changes(settings)) or "all at their defaults",
    )


def _changes(settings: Settings) -> Iterator[str]:
    for name, field in type(settings).model_fields.items():
        value: object = getattr(settings, name)
        if value != field.default:
            is_secret = isinstance(value, SecretStr) or name in _UNSHOWN
            yield f"{name.upper()} is set" if is_secret else f"{name.upper()}={_shown(value)}"


def _shown(value: object) -> str:
    text = str(value)
    return without_password(text) if "://" in text else text
