"""Checks messages against rules that Discord enforces, but doesn't document in its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import EMPTY_MESSAGE, RefusedError, invalid_form
from bot.demo.fake_discord.state.components import ACTION_ROW, walk
from bot.demo.fake_discord.wire import IS_COMPONENTS_V2, Payload

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CONTENT = 2000
MAX_EMBEDS = 6000
MAX_ROWS = 5
MAX_COMPONENTS = 40
_NAMED = (("footer", "text"), ("author", "name"))


def check(content: Payload) -> None:
    """Refuse combinations of text, embeds and components that Discord would refuse."""
    components: Sequence[Payload] = content["components"]
    nested = list(walk(components))
    if content["flags"] & IS_COMPONENTS_V2:
        for key in ("content", "embeds"):
            if content[key]:
                raise invalid_form(key, "cannot be used with MessageFlags.IS_COMPONENTS_V2")
        if len(nested) > MAX_COMPONENTS:
            raise invalid_form("components", f"at most {MAX_COMPONENTS} in all")
    else:
        if any(component["type"] != ACTION_ROW for component in components):
            raise invalid_form("components", "these need MessageFlags.IS_COMPONENTS_V2")
        if len(components) > MAX_ROWS:
            raise invalid_form("components", f"at most {MAX_ROWS} rows")
    if len(content["content"]) > MAX_CONTENT:
        raise invalid_form("content", f"at most {MAX_CONTENT} characters")
    if sum(_letters(embed) for embed in content["embeds"]) > MAX_EMBEDS:
        raise invalid_form("embeds", f"at most {MAX_EMBEDS} characters in all")
    ids = [component["custom_id"] for component in nested if "custom_id" in component]
    if len(ids) != len(set(ids)):
        raise invalid_form("components", "a custom_id is used twice")


def check_not_empty(content: Payload) -> None:
    """Refuse a message that is empty."""
    if not any(content[key] for key in ("content", "embeds", "components", "attachments")):
        raise RefusedError(EMPTY_MESSAGE)


def _letters(embed: Payload) -> int:
    texts: list[str | None] = [embed.get("title"), embed.get("description")]
    for key, name in _NAMED:
        part: Payload = embed.get(key) or {}
        texts.append(part.get(name))
    for field in embed.get("fields") or ():
        texts += [field["name"], field["value"]]
    return sum(len(text) for text in texts if text)
