"""Finds misspelt and unknown setting names, which have no effect."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_settings import DotEnvSettingsSource

from bot.settings.fields import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# Most names in the environment are not Clapper's, so only near misses are reported.
_ENVIRONMENT_CUTOFF = 0.85
_FILE_CUTOFF = 0.6
# A secret that was pasted as a name does not match, so it is not printed.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownName:
    """A name that is not a setting; `meant` is the most similar setting, if there is one."""

    name: str
    meant: str | None
    in_file: bool

    @property
    def advice(self) -> str:
        """A question that names the setting that may be meant, or a note that there is none."""
        return f"did you mean {self.meant}?" if self.meant else "it has no effect"

    def __str__(self) -> str:
        """State where the name was found, and which setting may be meant."""
        place = ".env" if self.in_file else "the environment"
        return f"{self.name} in {place} is not a setting: {self.advice}"


def unknown_names(environment: Mapping[str, str]) -> list[UnknownName]:
    """List the unknown names in `.env`, and the misspelt names in the environment."""
    known = {name.upper() for name in Settings.model_fields}
    file = DotEnvSettingsSource(Settings, env_ignore_empty=False).env_vars
    written = {name.upper() for name, value in file.items() if value is not None and _is_name(name)}
    found = [
        UnknownName(name=name, meant=_nearest(name, known, _FILE_CUTOFF), in_file=True)
        for name in sorted(written - known)
    ]
    others = {name.upper() for name in environment if _is_name(name)} - known - written
    found += [
        UnknownName(name=name, meant=meant, in_file=False)
        for name in sorted(others)
        if (meant := _nearest(name, known, _ENVIRONMENT_CUTOFF))
    ]
    return found


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text.lower()) is not None


def _nearest(name: str, known: set[str], cutoff: float) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)), None)
