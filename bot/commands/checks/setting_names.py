"""Finds names that are no settings: one is soon misspelt, and then counts for nothing."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_settings import DotEnvSettingsSource

from bot.settings.fields import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# In the environment there is much that is not ours: only what is all but one of our names counts.
_ALL_BUT = 0.85
_LIKE = 0.6
# A pasted secret must not be shown as if it were a name.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownName:
    """A name that is no setting; `meant` is the one that it is like, if there is one."""

    name: str
    meant: str | None
    in_file: bool

    @property
    def advice(self) -> str:
        """What may be meant."""
        return f"did you mean {self.meant}?" if self.meant else "it counts for nothing"

    def __str__(self) -> str:
        """Say where it is, and what may be meant."""
        where = ".env" if self.in_file else "the environment"
        return f"{self.name} in {where} is no setting: {self.advice}"


def unknown_names(environment: Mapping[str, str]) -> list[UnknownName]:
    """List what is in `.env` and is no setting, and what is nearly one in the environment."""
    known = {name.upper() for name in Settings.model_fields}
    file = DotEnvSettingsSource(Settings, env_ignore_empty=False).env_vars
    written = {name.upper() for name, value in file.items() if value is not None and _is_name(name)}
    found = [
        UnknownName(name=name, meant=_nearest(name, known, _LIKE), in_file=True)
        for name in sorted(written - known)
    ]
    others = {name.upper() for name in environment if _is_name(name)} - known - written
    found += [
        UnknownName(name=name, meant=meant, in_file=False)
        for name in sorted(others)
        if (meant := _nearest(name, known, _ALL_BUT))
    ]
    return found


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text.lower()) is not None


def _nearest(name: str, known: set[str], cutoff: float) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)), None)
