"""What Discord is told of the commands: their names and descriptions, in every language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.texts import Texts

# As Discord's API writes a command, an option or a choice.
Definition = dict[str, Any]

# What a definition says; the rest, such as ids and versions, Discord adds by itself.
_SAID = frozenset(
    {
        *("type", "name", "name_localizations", "description", "description_localizations"),
        *("options", "required", "choices", "value", "autocomplete", "channel_types"),
        *("min_length", "max_length", "min_value", "max_value"),
        *("default_member_permissions", "nsfw", "contexts", "integration_types"),
    }
)
_SETS = frozenset({"contexts", "integration_types", "channel_types"})


def localise(definitions: Iterable[Definition], texts: Texts) -> list[Definition]:
    """Fill in the names and descriptions that people see, by the keys below `command`.

    KeyError: a command, an option or a choice has none.
    """
    return [
        _localised(definition, f"command.{_word(definition['name'])}", texts)
        for definition in definitions
    ]


def are_alike(found: Iterable[Definition], wanted: Iterable[Definition]) -> bool:
    """Tell whether Discord has these definitions, whatever it added to them."""
    return _comparable(found) == _comparable(wanted)


def _localised(entry: Definition, key: str, texts: Texts) -> Definition:
    """Fill in a command, or an option of one."""
    told = {**entry, "name_localizations": texts.translations(f"{key}.name")}
    if "description" in entry:
        told["description"] = texts(f"{key}.description")
        told["description_localizations"] = texts.translations(f"{key}.description")
    if "options" in entry:
        told["options"] = [
            _localised(option, f"{key}.{option['name']}", texts) for option in entry["options"]
        ]
    if "choices" in entry:
        told["choices"] = [
            _named(choice, f"{key}.{choice['value']}", texts) for choice in entry["choices"]
        ]
    return told


def _named(choice: Definition, key: str, texts: Texts) -> Definition:
    return {**choice, "name": texts(key), "name_localizations": texts.translations(key)}


def _word(name: str) -> str:
    """Return the name of a command, or what people read in a context menu, as a part of a key."""
    return name.lower().replace(" ", "_")


def _comparable(definitions: Iterable[Definition]) -> list[Definition]:
    said = [_said(definition) for definition in definitions]
    return sorted(said, key=lambda entry: (entry["type"], entry["name"]))


def _said(entry: Definition) -> Definition:
    """Leave out what says nothing: Discord writes a default or nothing as it likes."""
    return {key: _value(key, value) for key, value in entry.items() if key in _SAID and value}


def _value(key: str, value: Any) -> object:  # noqa: ANN401 - any value of a JSON document
    if key in {"options", "choices"}:
        return [_said(entry) for entry in value]
    if key in _SETS:
        return sorted(value)
    # Permissions go out as a number, and come back as a string.
    return str(value) if key == "default_member_permissions" else value
