"""The file types that Discord's file picker offers for a narration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discord import ui

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.discord_bot.command_definitions import Definition

# Discord accepts at most ten. Operating systems differ in which of these endings they count as
# audio.
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
_FIELD = "file_types"  # discord.py 2.7 does not have this field


class AudioPicker(ui.FileUpload[Any]):
    """A form's field for one audio file."""

    def to_component_dict(self) -> Any:  # noqa: ANN401 - discord.py's type lacks the added field
        """Return the component as the JSON of Discord's API."""
        return {**super().to_component_dict(), _FIELD: [*AUDIO_FILE_TYPES]}


def for_audio(definitions: Iterable[Definition]) -> list[Definition]:
    """Restrict the attachments in command definitions to audio files."""
    return [_restricted(definition) for definition in definitions]


def _restricted(entry: Definition) -> Definition:
    restricted = {**entry}
    if "options" in entry:
        restricted["options"] = for_audio(entry["options"])
    if entry.get("type") == _ATTACHMENT_OPTION:
        restricted[_FIELD] = [*AUDIO_FILE_TYPES]
    return restricted
