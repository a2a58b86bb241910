"""Translates command definitions for Discord, and compares them with those that Discord has."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from bot.texts import Texts

# A command, an option or a choice, as JSON of Discord's API.
Definition = dict[str, Any]

# The bot sends only these fields. Discord adds others to them, such as ids and versions.
_FIELDS = frozenset(
    {
        "autocomplete",
        "channel_types",
        "choices",
        "contexts",
        "default_member_permissions",
        "description",
        "description_localizations",
        "file_types",
        "integration_types",
        "max_length",
        "max_value",
        "min_length",
        "min_value",
        "name",
        "name_localizations",
        "nsfw",
        "options",
        "required",
        "type",
        "value",
    }
)
# The bot's commands are slash commands and commands in the context menus of users and messages. If
# an application has an activity, Discord adds an Entry Point command, and refuses a list that lacks
# that command (error 50240).
_OUR_TYPES = frozenset({1, 2, 3})
# Discord returns this field as a string, and accepts a number.
_PERMISSIONS = "default_member_permissions"
# If another program has defined a command, only these fields can be sent back to Discord.
_WRITABLE = frozenset(
    {
        "contexts",
        _PERMISSIONS,
        "description",
        "description_localizations",
        "handler",
        "id",
        "integration_types",
        "name",
        "name_localizations",
        "nsfw",
        "type",
    }
)
_UNORDERED = frozenset({"contexts", "integration_types", "channel_types", "file_types"})
# Discord doesn't document whether it returns this field.
_MAYBE_HIDDEN = frozenset({"file_types"})


def localise(definitions: Iterable[Definition], texts: Texts) -> list[Definition]:
    """Return the command definitions with names and descriptions in all languages.

    The texts have locale keys that begin with `command`. Raises KeyError if a command, an option or
    a choice has no text.
    """
    return [
        _localised(definition, f"command.{_key_of(definition['name'])}", texts)
        for definition in definitions
    ]


def tell_of_voices(definitions: Iterable[Definition], texts: Texts) -> list[Definition]:
    """Return the definitions, with a note that a service may hear the narration."""
    told = {
        "description": texts("option.audio_heard"),
        "description_localizations": texts.translations("option.audio_heard"),
    }
    return [
        {
            **definition,
            "options": [
                option | told if option["name"] == "audio" else option
                for option in definition["options"]
            ],
        }
        if definition["name"] == "video"
        else definition
        for definition in definitions
    ]


def are_alike(found: Iterable[Definition], wanted: Iterable[Definition]) -> bool:
    """Tell whether the definitions are equal, ignoring the fields that Discord adds."""
    return _comparable(found, _FIELDS) == _comparable(wanted, _FIELDS)


def may_be_alike(found: list[Definition], wanted: Iterable[Definition]) -> bool:
    """Tell whether the definitions may be equal.

    A field that Discord may hide is ignored if all definitions from Discord lack it.
    """
    returned = _FIELDS - _MAYBE_HIDDEN if _hides_fields(found) else _FIELDS
    return _comparable(found, returned) == _comparable(wanted, returned)


def digest(definitions: Iterable[Definition]) -> str:
    """Return a hash of the definitions. Their order does not affect it."""
    content = json.dumps(_comparable(definitions, _FIELDS), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def is_ours(command: Definition) -> bool:
    """Tell whether the bot may replace a command, judging by the command's type."""
    return command.get("type", 1) in _OUR_TYPES


def writable(found: Iterable[Definition]) -> list[Definition]:
    """Return command definitions from Discord in a form that can be sent back unchanged."""
    return [
        {
            name: int(value) if name == _PERMISSIONS else value
            for name, value in command.items()
            if name in _WRITABLE and value not in (None, [], {})
        }
        for command in found
    ]


def _localised(entry: Definition, key: str, texts: Texts) -> Definition:
    """Return a command or an option with its names and descriptions."""
    filled = {**entry, "name_localizations": texts.translations(f"{key}.name")}
    if "description" in entry:
        filled["description"] = texts(f"{key}.description")
        filled["description_localizations"] = texts.translations(f"{key}.description")
    if "options" in entry:
        filled["options"] = [
            _localised(option, f"{key}.{option['name']}", texts) for option in entry["options"]
        ]
    if "choices" in entry:
        filled["choices"] = [
            _localised_choice(choice, f"{key}.{choice['value']}", texts)
            for choice in entry["choices"]
        ]
    return filled


def _localised_choice(choice: Definition, key: str, texts: Texts) -> Definition:
    return {**choice, "name": texts(key), "name_localizations": texts.translations(key)}


def _key_of(name: str) -> str:
    """Return the part of a locale key that stands for a command or a context menu entry."""
    return name.lower().replace(" ", "_")


def _hides_fields(definitions: Iterable[Definition]) -> bool:
    """Tell whether the fields that Discord may hide are missing from all commands and options."""
    return all(
        _MAYBE_HIDDEN.isdisjoint(entry) and _hides_fields(entry.get("options") or ())
        for entry in definitions
    )


def _comparable(definitions: Iterable[Definition], fields: AbstractSet[str]) -> list[Definition]:
    compared = [_without_defaults(definition, fields) for definition in definitions]
    return sorted(compared, key=lambda entry: (entry["type"], entry["name"]))


def _without_defaults(entry: Definition, fields: AbstractSet[str]) -> Definition:
    """Leave out empty values, because Discord may omit their fields or return default values."""
    return {
        key: _value(key, value, fields) for key, value in entry.items() if key in fields and value
    }


def _value(key: str, value: Any, fields: AbstractSet[str]) -> object:  # noqa: ANN401 - any JSON value
    if key in {"options", "choices"}:
        return [_without_defaults(entry, fields) for entry in value]
    if key in _UNORDERED:
        return sorted(value)
    return str(value) if key == _PERMISSIONS else value
