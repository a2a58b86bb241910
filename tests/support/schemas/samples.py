"""Requests that Discord and a Videos API accept, and requests that they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Body = Any  # JSON

CHANNEL = "POST /channels/{channel_id}/messages"
CHANNEL_EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"
FOLLOW_UP = "POST /webhooks/{webhook_id}/{webhook_token}"
ORIGINAL = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original"
CARD = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
COMMANDS = "PUT /applications/{application_id}/commands"
SERVER_COMMANDS = "POST /applications/{application_id}/guilds/{guild_id}/commands"
DIRECT = "POST /users/@me/channels"
VIDEOS = "POST /videos"

LAYOUT = 1 << 15
PRIVATE = 1 << 6


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A body for a route; `ours`: whether our schema alone refuses it, not the service's own."""

    name: str
    operation: str
    body: Body
    ours: bool = False

    @property
    def route(self) -> tuple[str, str]:
        """The route's path and its method."""
        method, _, path = self.operation.partition(" ")
        return path, method.lower()


def text(content: str = "A cat on a roof") -> Body:
    return {"type": 10, "content": content}


def button(**fields: object) -> Body:
    return {"type": 2, "style": 2, "label": "Cancel", "custom_id": "clapper:cancel:1"} | fields


def link(**fields: object) -> Body:
    return {"type": 2, "style": 5, "label": "Download", "url": "https://example.org/d/1"} | fields


def menu(**fields: object) -> Body:
    return {"type": 3, "custom_id": "size", "options": [{"label": "wide", "value": "w"}]} | fields


def row(*components: Body) -> Body:
    return {"type": 1, "components": list(components)}


def gallery(url: str = "attachment://rain.mp4", **fields: object) -> Body:
    return {"type": 12, "items": [{"media": {"url": url}} | fields]}


def file(url: str = "attachment://prompt.txt") -> Body:
    return {"type": 13, "file": {"url": url}, "spoiler": False}


def container(*components: Body, **fields: object) -> Body:
    return {"type": 17, "components": list(components)} | fields


def card(*components: Body, **fields: object) -> Body:
    return {"flags": LAYOUT, "components": [container(*components)]} | fields


def callback(kind: int, data: Body = None) -> Body:
    return {"type": kind} if data is None else {"type": kind, "data": data}


def suggestions(*names: str) -> Body:
    return callback(8, {"choices": [{"name": name, "value": "b"} for name in names]})


def modal(*components: Body, **fields: object) -> Body:
    form = {"custom_id": "edit:1", "title": "Edit prompt", "components": list(components)}
    return callback(9, form | fields)


def labelled(component: Body, **fields: object) -> Body:
    return {"type": 18, "label": "Your narration", "component": component} | fields


def text_input(**fields: object) -> Body:
    return {"type": 4, "custom_id": "prompt", "style": 2} | fields


def upload(**fields: object) -> Body:
    return {"type": 19, "custom_id": "audio"} | fields


def command(**fields: object) -> Body:
    return [{"type": 1, "name": "video", "description": "Makes a video"} | fields]


def sound(**fields: object) -> Body:
    return command(options=[{"type": 11, "name": "audio", "description": "A voice"} | fields])


def option(**fields: object) -> Body:
    return command(options=[{"type": 3, "name": "prompt", "description": "What it shows"} | fields])


def group(options: list[Body]) -> Body:
    inner = {"type": 1, "name": "settings", "description": "Shows them", "options": options}
    [outer] = command(options=[inner], default_member_permissions=8)
    return outer


def coloured(colour: int | None) -> Body:
    return {"flags": LAYOUT, "components": [container(text(), accent_color=colour)]}


ATTACHED = [{"id": "0", "filename": "rain.mp4"}]
KEPT = {
    "id": "1551598430399234048",
    "filename": "rain.mp4",
    "content_type": "video/mp4",
    "proxy_url": "https://media.example.org/rain.mp4",
    "size": 4012,
    "spoiler": False,
    "url": "https://cdn.example.org/rain.mp4",
}

GOOD = [
    Sample(name=name, operation=operation, body=body)
    for name, operation, body in [
        ("a text", CHANNEL, {"content": "Done", "nonce": "1", "enforce_nonce": True, "tts": False}),
        ("a text with a file", CHANNEL, {"content": "Done", "attachments": ATTACHED}),
        ("no ping", CHANNEL, {"content": "<@1>", "allowed_mentions": {"parse": []}}),
        ("a longest text", CHANNEL_EDIT, {"content": "x" * 2000, "components": [], "flags": 0}),
        ("a kept file", ORIGINAL, {"content": None, "attachments": [KEPT]}),
        ("a file less", CARD, {"attachments": []}),
        ("a follow-up", FOLLOW_UP, {"content": "and more", "flags": PRIVATE}),
        ("a card", CALLBACK, callback(4, card(text(), row(button()), content=None))),
        ("a coloured card", CHANNEL_EDIT, coloured(None) | {"tts": False}),
        ("five buttons", CARD, card(row(*(button(custom_id=f"{n}") for n in range(4)), link()))),
        ("a longest label", CARD, card(row(button(label="x" * 80), link(label="x" * 80)))),
        ("a longest text part", ORIGINAL, card(text("x" * 4000))),
        ("a gallery", CARD, card(gallery(description="rain", spoiler=False), attachments=ATTACHED)),
        ("a linked gallery", CARD, card(gallery("https://example.org/rain.mp4"))),
        ("a file shown", CALLBACK, callback(4, card(file(), {"type": 14, "spacing": 1}))),
        ("a menu", CALLBACK, callback(4, {"content": "choose", "components": [row(menu())]})),
        ("thinking", CALLBACK, callback(5, {"flags": PRIVATE})),
        ("taken note", CALLBACK, callback(6)),
        ("a turned page", CALLBACK, callback(7, card(text(), {"type": 14, "divider": True}))),
        ("suggestions", CALLBACK, suggestions(*["Boat"] * 25)),
        ("a prompt form", CALLBACK, modal(labelled(text_input(value="a cat", max_length=2000)))),
        ("a file form", CALLBACK, modal(text(), labelled(upload(min_values=None, max_values=1)))),
        ("a tick form", CALLBACK, modal(labelled({"type": 23, "custom_id": "sure"}))),
        ("an older form", CALLBACK, modal(row(text_input(label="Prompt")))),
        ("a form for sounds", CALLBACK, modal(labelled(upload(file_types=["audio", ".aac"])))),
        ("a sound", COMMANDS, sound(required=False, file_types=["audio", ".webm"])),
        ("a command", COMMANDS, option(required=True, min_length=1, max_length=2000)),
        ("a hundred commands", COMMANDS, command() * 100),
        ("names in languages", COMMANDS, command(name_localizations={"de": "film", "ja": "動画"})),
        ("a menu's command", COMMANDS, [{"type": 3, "name": "Video details"}]),
        ("choices", COMMANDS, option(choices=[{"name": "Always", "value": "always"}] * 25)),
        ("a server's command", SERVER_COMMANDS, group(option()[0]["options"])),
        ("a person", DIRECT, {"recipient_id": "1576760370855411713"}),
        ("a video", VIDEOS, {"prompt": "a cat", "seconds": "8", "size": "1280x720", "model": "m"}),
        ("a longest prompt", VIDEOS, {"prompt": "x" * 32_000}),
    ]
]

# The services' own documents refuse these too.
BAD = [
    Sample(name=name, operation=operation, body=body)
    for name, operation, body in [
        ("a label of 81", CARD, card(row(button(label="x" * 81)))),
        ("a link's label of 81", CARD, card(row(link(label="x" * 81)))),
        ("a custom_id of 101", CARD, card(row(button(custom_id="x" * 101)))),
        ("an empty custom_id", CARD, card(row(button(custom_id="")))),
        ("six buttons in a row", CARD, card(row(*[button()] * 6))),
        ("an empty row", CARD, card(row())),
        ("no style", CARD, card(row({"type": 2, "label": "x", "custom_id": "x"}))),
        ("an unknown style", CARD, card(row(button(style=9)))),
        ("an address of 513", CARD, card(row(link(url="https://example.org/".ljust(513, "x"))))),
        ("an unknown component", CARD, card({"type": 99})),
        ("a component without a type", CARD, card({"content": "x"})),
        ("a button outside a row", CARD, card(button())),
        ("a text in a row", CARD, card(row(text()))),
        ("a container in a container", CARD, card(container(text()))),
        ("an empty container", CARD, card()),
        ("a colour beyond white", CARD, coloured(1 << 24)),
        ("an empty text part", CARD, card(text(""))),
        ("a text part of 4001", CARD, card(text("x" * 4001))),
        ("an empty gallery", CARD, card({"type": 12, "items": []})),
        ("eleven pictures", CARD, card({"type": 12, "items": gallery()["items"] * 11})),
        ("a picture without an address", CARD, card({"type": 12, "items": [{"media": {}}]})),
        ("a description of 1025", CARD, card(gallery(description="x" * 1025))),
        ("an empty description", CARD, card(gallery(description=""))),
        ("a file without an address", CARD, card({"type": 13, "file": {}})),
        ("a third spacing", CARD, card({"type": 14, "spacing": 3})),
        ("41 components", CARD, {"flags": LAYOUT, "components": [text()] * 41}),
        ("a menu of 26", CARD, card(row(menu(options=menu()["options"] * 26)))),
        ("an empty menu", CARD, card(row(menu(options=[])))),
        ("components in no list", CARD, {"flags": LAYOUT, "components": text()}),
        ("a text of 4001", CHANNEL, {"content": "x" * 4001}),
        ("a reply of 2001", CALLBACK, callback(4, {"content": "x" * 2001})),
        ("an edit of 2001", CARD, {"content": "x" * 2001}),
        ("a number for a text", CHANNEL, {"content": 5}),
        ("a nonce of 26", CHANNEL, {"content": "x", "nonce": "x" * 26}),
        ("eleven files", CHANNEL, {"attachments": ATTACHED * 11}),
        ("a file without an id", CHANNEL, {"attachments": [{"filename": "rain.mp4"}]}),
        ("a file without a name", CHANNEL, {"attachments": [{"id": "0", "filename": ""}]}),
        ("flags of words", CHANNEL, {"content": "x", "flags": "silent"}),
        ("an answer of no kind", CALLBACK, {"data": {"content": "x"}}),
        ("an answer of an unknown kind", CALLBACK, callback(99)),
        ("26 suggestions", CALLBACK, suggestions(*["a"] * 26)),
        ("a suggestion of 101", CALLBACK, suggestions("x" * 101)),
        ("a form without fields", CALLBACK, modal()),
        ("a form without a title", CALLBACK, modal(labelled(upload()), title="")),
        ("a title of 46", CALLBACK, modal(labelled(upload()), title="x" * 46)),
        ("a form's label of 46", CALLBACK, modal(labelled(upload(), label="x" * 46))),
        ("a form's hint of 101", CALLBACK, modal(labelled(upload(), description="x" * 101))),
        ("a button in a form", CALLBACK, modal(labelled(button()))),
        ("eleven uploads", CALLBACK, modal(labelled(upload(max_values=11)))),
        ("a value of 4001", CALLBACK, modal(labelled(text_input(value="x" * 4001)))),
        ("a third style of input", CALLBACK, modal(labelled(text_input(style=3)))),
        ("a name of 33", COMMANDS, command(name="x" * 33)),
        ("no name", COMMANDS, [{"type": 1, "description": "x"}]),
        ("a description of 101", COMMANDS, command(description="x" * 101)),
        ("an option's description of 101", COMMANDS, option(description="x" * 101)),
        ("an option without a description", COMMANDS, command(options=[{"type": 3, "name": "a"}])),
        ("an option of an unknown type", COMMANDS, option(type=12)),
        ("26 options", COMMANDS, command(options=option()[0]["options"] * 26)),
        ("26 choices", COMMANDS, option(choices=[{"name": "a", "value": "b"}] * 26)),
        ("an option of 6001", COMMANDS, option(max_length=6001)),
        ("an unknown place", COMMANDS, command(contexts=[3])),
        ("a place twice", COMMANDS, command(contexts=[0, 0])),
        ("131 commands", COMMANDS, command() * 131),
        ("an unknown subcommand", SERVER_COMMANDS, group([{"type": 12, "name": "a"}])),
        ("a person without an id", DIRECT, {"recipient_id": "ada"}),
        ("no prompt", VIDEOS, {"model": "sora-2"}),
        ("an empty prompt", VIDEOS, {"prompt": ""}),
        ("a prompt of 32001", VIDEOS, {"prompt": "x" * 32_001}),
        ("nine seconds", VIDEOS, {"prompt": "x", "seconds": "9"}),
        ("a number of seconds", VIDEOS, {"prompt": "x", "seconds": 8}),
        ("an odd size", VIDEOS, {"prompt": "x", "size": "1x1"}),
    ]
]  # fmt: skip

# The services refuse these, although their documents do not say so.
UNWRITTEN = [
    Sample(name=name, operation=operation, body=body, ours=True)
    for name, operation, body in [
        ("a text beside a layout", CALLBACK, callback(4, card(text(), content="x"))),
        ("a layout without its flag", CARD, {"components": [container(text())]}),
        ("a layout with a wrong flag", CARD, card(text(), flags=PRIVATE)),
        ("six rows", CALLBACK, callback(4, {"content": "x", "components": [row(button())] * 6})),
        ("a menu beside a button", CARD, card(row(menu(), button()))),
        ("a button without an action", CARD, card(row({"type": 2, "style": 1, "label": "x"}))),
        ("a button without a label", CARD, card(row({"type": 2, "style": 1, "custom_id": "x"}))),
        ("a link that can be pressed", CARD, card(row(link(custom_id="x")))),
        ("a link to nowhere", CARD, card(row(link(url="example.org")))),
        ("a button that links", CARD, card(row(button(url="https://example.org")))),
        ("another site's file", CARD, card(file("https://example.org/prompt.txt"))),
        ("eleven file types", COMMANDS, sound(file_types=["audio"] + [".m4a"] * 10)),
        ("an unknown file type", COMMANDS, sound(file_types=["sound"])),
        ("a form's unknown file type", CALLBACK, modal(labelled(upload(file_types=["mp3"])))),
        ("a misspelt field", CARD, card(row(button(lable="x")))),
        ("a private edit", CARD, {"content": "x", "flags": PRIVATE}),
        ("a text of 2001", CHANNEL, {"content": "x" * 2001}),
        ("a nonce to enforce, but none", CHANNEL, {"content": "x", "enforce_nonce": True}),
        ("a thinking layout", CALLBACK, callback(5, {"flags": LAYOUT})),
        ("six fields", CALLBACK, modal(*[labelled(upload())] * 6)),
        ("two inputs in a row", CALLBACK, modal(row(*[text_input(label="a")] * 2))),
        ("an input without a label", CALLBACK, modal(row(text_input()))),
        ("capitals in a name", COMMANDS, command(name="Video")),
        ("a space in a name", COMMANDS, command(name="my video")),
        ("a described menu's command", COMMANDS, command(type=3)),
        ("no person", DIRECT, {}),
        ("an unknown field", VIDEOS, {"prompt": "x", "style": "noir"}),
    ]
]  # fmt: skip
