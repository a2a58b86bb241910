"""Restricts Discord's file picker to audio files, for narrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discord import ui

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.discord_bot.command_definitions import Definition

# Discord accepts at most ten types. The extensions are listed because operating systems disagree
# about which of them are audio.
AUDIO_FILE_TYPES = (
    "audio",
    ".aac",
    ".amr",
    ".caf",
    ".flac",
    ".m4a",
    ".oga",
    ".opus",
    ".weba",
    ".webm",
)
_ATTACHMENT_OPTION = 11
_FIELD = "file_types"  # discord.py 2.7 doesn't support this field


class AudioPicker(ui.FileUpload[Any]):
    """A form field that lets the person choose one audio file."""

    def to_component_dict(self) -> Any:  # noqa: ANN401 - discord.py's type lacks the added field
        """Return the component as JSON for Discord's API."""
        return {**super().to_component_dict(), _FIELD: [*AUDIO_FILE_TYPES]}


def for_audio(definitions: Iterable[Definition]) -> list[Definition]:
    """Return the command definitions with their attachments restricted to audio files."""
    return [_restricted(definition) for definition in definitions]


def _restricted(entry: Definition) -> Definition:
    restricted = {**entry}
    if "options" in entry:
        restricted["options"] = for_audio(entry["options"])
    if entry.get("type") == _ATTACHMENT_OPTION:
        restricted[_FIELD] = [*AUDIO_FILE_TYPES]
    return restricted
