"""Builds the gateway event INTERACTION_CREATE for users' commands, clicks and forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.state.channel import DM, GROUP
from bot.demo.fake_discord.uploads import Upload
from bot.demo.fake_discord.wire import FakeDiscordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.limits import DiscordLimits
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.world import World
    from bot.demo.fake_discord.wire import Payload

    Attach = Callable[[Upload], Payload]
    Value = str | float | bool | Upload

_SUBCOMMANDS = (1, 2)
_ATTACHMENT = 11
_MESSAGE_COMMAND = 3
_CONTEXTS = {DM: 1, GROUP: 2}
_TEXT_INPUT, _LABEL, _CHECKBOX = 4, 18, 23


def interaction_create(
    interaction: Interaction, data: Payload, world: World, limits: DiscordLimits
) -> Payload:
    """Return the event. `data` describes the command, the click or the form."""
    channel, user = interaction.channel, interaction.user
    event: Payload = {
        "id": str(interaction.id),
        "application_id": str(world.application_id),
        "type": int(interaction.kind),
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel_id": str(channel.id),
        "channel": channel.payload(),
        "locale": user.locale,
        "app_permissions": channel.bot_permissions,
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": interaction.owners,
        "context": _CONTEXTS.get(channel.kind, 0),
        "attachment_size_limit": limits.announced_bytes,
    }
    if interaction.source is not None:
        event["message"] = interaction.source.payload
    return event | _user_fields(interaction, channel, world)


def _user_fields(interaction: Interaction, channel: Channel, world: World) -> Payload:
    if channel.guild is None:
        return {"user": interaction.user.payload()}
    guild = channel.guild
    return {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "member": world.members.payload(interaction.user, guild),
    }


def command_data(
    commands: Sequence[Payload], name: str, values: Mapping[str, Value], attach: Attach
) -> Payload:
    """Return the data of a slash command, such as "video" or "admin limits".

    Raises FakeDiscordError if the bot has not synced a command with this name and these options.
    """
    first, *rest = name.split()
    command = _named(commands, first, "command")
    resolved: dict[str, Payload] = {}
    data: Payload = {"id": command["id"], "name": first, "type": command["type"]}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    level = data
    for word in rest:
        command = _named(command.get("options") or [], word, "subcommand")
        inner: Payload = {"name": word, "type": command["type"]}
        level["options"], level = [inner], inner
    level["options"] = _options(command, values, attach, resolved)
    if resolved:
        data["resolved"] = {"attachments": resolved}
    return data


def typing_data(commands: Sequence[Payload], name: str, focused: str, typed: str) -> Payload:
    """Return the data of a command while the user is typing into the option `focused`.

    Raises FakeDiscordError if the bot has not synced the command, or if the option has no
    autocomplete.
    """
    command = _named(commands, name, "command")
    option = _named(command["options"], focused, "option")
    if not option.get("autocomplete"):
        raise FakeDiscordError(f"/{name} has no autocomplete for {focused}")
    sent = {"name": focused, "type": option["type"], "value": typed, "focused": True}
    return {"id": command["id"], "name": name, "type": command["type"], "options": [sent]}


def message_command_data(commands: Sequence[Payload], name: str, message: Message) -> Payload:
    """Return the data of a command that a user chose in a message's context menu.

    Raises FakeDiscordError if the bot has not synced the command.
    """
    menu = [command for command in commands if command["type"] == _MESSAGE_COMMAND]
    command = _named(menu, name, "message command")
    return {
        "id": command["id"],
        "name": name,
        "type": command["type"],
        "target_id": str(message.id),
        "resolved": {"messages": {str(message.id): message.payload}},
    }


def _options(
    command: Payload, values: Mapping[str, Value], attach: Attach, resolved: dict[str, Payload]
) -> list[Payload]:
    known: list[Payload] = command.get("options") or []
    for option in known:
        if option.get("required") and option["name"] not in values:
            raise FakeDiscordError(f"/{command['name']} requires {option['name']}")
    options: list[Payload] = []
    for name, value in values.items():
        option = _named(known, name, "option")
        if option["type"] in _SUBCOMMANDS or isinstance(value, Upload) != (
            option["type"] == _ATTACHMENT
        ):
            raise FakeDiscordError(f"/{command['name']} does not accept this as {name}")
        sent = _resolve(value, attach, resolved) if isinstance(value, Upload) else value
        options.append({"name": name, "type": option["type"], "value": sent})
    return options


def component_data(component: Payload, values: Sequence[str]) -> Payload:
    """Return the data of a click on a button, or of choosing `values` in a select menu."""
    data: Payload = {
        "custom_id": component["custom_id"],
        "component_type": component["type"],
        "id": component["id"],
    }
    return data | ({"values": list(values)} if values else {})


def modal_data(modal: Payload, values: Mapping[str, Value], attach: Attach) -> Payload:
    """Return the data of a submitted form.

    `values`: the user's input, keyed by custom_id.
    """
    resolved: dict[str, Payload] = {}
    unused = dict(values)
    rows: list[Payload] = []
    for row in modal["components"]:
        if row["type"] == _LABEL:
            field = _field(row["component"], unused, attach, resolved)
            rows.append({"type": row["type"], "component": field})
        elif "components" in row:
            fields = [_field(field, unused, attach, resolved) for field in row["components"]]
            rows.append({"type": row["type"], "components": fields})
    if unused:
        raise FakeDiscordError(f"the form has no {', '.join(unused)}")
    data: Payload = {"custom_id": modal["custom_id"], "components": rows}
    return data | ({"resolved": {"attachments": resolved}} if resolved else {})


def _field(
    field: Payload, unused: dict[str, Value], attach: Attach, resolved: dict[str, Payload]
) -> Payload:
    kind, name = field["type"], field["custom_id"]
    value = unused.pop(name, None)
    filled: Payload = {"type": kind, "custom_id": name}
    if kind == _TEXT_INPUT:
        return filled | {"value": value if value is not None else field.get("value") or ""}
    if kind == _CHECKBOX:
        return filled | {"value": bool(value)}
    if isinstance(value, Upload):
        value = _resolve(value, attach, resolved)
    return filled | {"values": [] if value is None else [value]}


def _resolve(upload: Upload, attach: Attach, resolved: dict[str, Payload]) -> str:
    attachment = attach(upload)
    resolved[attachment["id"]] = attachment
    return attachment["id"]


def _named(entries: Sequence[Payload], name: str, noun: str) -> Payload:
    for entry in entries:
        if entry["name"] == name:
            return entry
    known = ", ".join(entry["name"] for entry in entries) or "none"
    raise FakeDiscordError(f"there is no {noun} {name}; known: {known}")
