"""Computes the content of a message after a request creates or edits it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from bot.demo.fake_discord.api_errors import invalid_form
from bot.demo.fake_discord.state import message_rules
from bot.demo.fake_discord.state.components import GALLERY, fill_in, media_of, walk
from bot.demo.fake_discord.uploads import clean
from bot.demo.fake_discord.wire import IS_COMPONENTS_V2, IS_EPHEMERAL, IS_LOADING, Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.demo.fake_discord.uploads import StoredFile

    Publish = Callable[[StoredFile, str], Payload]

EMPTY: Payload = {"content": "", "embeds": [], "components": [], "attachments": [], "flags": 0}
_SETTABLE_FLAGS = IS_COMPONENTS_V2 | 1 << 2 | 1 << 12


def compose(
    previous: Payload, body: Payload, files: Sequence[StoredFile], publish: Publish
) -> Payload:
    """Return a message's content after `body` was applied to it. Missing keys change nothing.

    `publish` turns a file into an attachment. Raises RefusedError if Discord would refuse the
    content.
    """
    content: Payload = {key: copy.deepcopy(previous[key]) for key in EMPTY}
    for key in ("content", "embeds", "components"):
        if key in body:
            content[key] = copy.deepcopy(body[key]) or EMPTY[key].__class__()
    content["flags"] = _flags(previous["flags"], body.get("flags") or 0)
    message_rules.check(content)
    content["attachments"] = _attachments(previous["attachments"], body, files, publish)
    _resolve(content, files)
    message_rules.check_not_empty(content)
    return content


def _flags(previous: int, asked: int) -> int:
    # The V2 flag can't be cleared. IS_LOADING is cleared, because an edit completes a deferred
    # response.
    kept = previous & (IS_EPHEMERAL | IS_COMPONENTS_V2)
    return kept | (asked & _SETTABLE_FLAGS) & ~IS_LOADING


def _attachments(
    previous: Sequence[Payload], body: Payload, files: Sequence[StoredFile], publish: Publish
) -> list[Payload]:
    by_index = {str(stored.index): stored for stored in files}
    if body.get("attachments") is None:
        cleared = "attachments" in body and not files
        return [*([] if cleared else previous), *(publish(stored, "") for stored in files)]
    kept = {attachment["id"]: attachment for attachment in previous}
    result: list[Payload] = []
    for wanted in body["attachments"]:
        number = str(wanted["id"])
        if number in by_index:
            result.append(publish(by_index[number], wanted.get("description") or ""))
        elif number in kept:
            result.append(kept[number])
        else:
            raise invalid_form(f"attachments[{number}]", "no such attachment or file")
    return result


def _resolve(content: Payload, files: Sequence[StoredFile]) -> None:
    """Replace the URLs attachment://name in components with CDN URLs, and number the components."""
    by_name: dict[str, Payload] = {a["filename"]: a for a in content["attachments"]}
    by_name |= {
        stored.filename: attachment
        for stored in files
        for attachment in content["attachments"]
        if clean(stored.filename) == attachment["filename"]
    }
    for number, component in enumerate(walk(content["components"]), 1):
        component.setdefault("id", number)
        fill_in(component)
        for media in media_of(component):
            scheme, _, name = str(media["url"]).partition("attachment://")
            if not scheme:
                media.update(_unfurled(by_name, name))
                if component["type"] != GALLERY:
                    component |= {"name": name, "size": by_name[name]["size"]}


def _unfurled(by_name: dict[str, Payload], name: str) -> dict[str, Any]:
    if name not in by_name:
        raise invalid_form("components", f"the attachment {name} is not part of the message")
    attachment = by_name[name]
    return {
        "id": attachment["id"],
        "url": attachment["url"],
        "proxy_url": attachment["proxy_url"],
        "content_type": attachment["content_type"],
        "attachment_id": attachment["id"],
        "loading_state": 2,
    }
