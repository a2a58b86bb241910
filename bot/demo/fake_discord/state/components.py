"""Reads the tree of a message's components."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.demo.fake_discord.wire import Payload

ACTION_ROW = 1
GALLERY = 12
_MEDIA = {11: "media", 13: "file"}
_DEFAULTS: dict[int, Payload] = {
    GALLERY: {"description": None, "spoiler": False},
    11: {"description": None, "spoiler": False},
    13: {"spoiler": False},
    17: {"accent_color": None, "spoiler": False},
}


def walk(tree: Sequence[Payload]) -> Iterator[Payload]:
    """Yield each component in a tree, in reading order."""
    for component in tree:
        yield component
        inner: list[Payload] = list(component.get("components") or ())
        inner += [component[key] for key in ("accessory", "component") if component.get(key)]
        yield from walk(inner)


def media_of(component: Payload) -> list[Payload]:
    """Return the media objects that a component shows."""
    if component["type"] == GALLERY:
        return [item["media"] for item in component["items"]]
    key = _MEDIA.get(component["type"])
    return [component[key]] if key else []


def fill_in(component: Payload) -> None:
    """Add the default values that Discord adds to a component."""
    for part in component["items"] if component["type"] == GALLERY else [component]:
        for key, value in _DEFAULTS.get(component["type"], {}).items():
            part.setdefault(key, value)


def text_of(content: Payload) -> str:
    """Return the visible text of a message: its content and its text components, one per line."""
    texts = [content["content"], *(c.get("content") for c in walk(content["components"]))]
    return "\n".join(text for text in texts if text)
