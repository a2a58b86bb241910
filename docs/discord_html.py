"""Turns a message's component tree into HTML that looks like Discord."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}

# Escapes stand for themselves: they are put aside before anything else is read as markup.
_ESCAPED = re.compile(r"\\([\\*_~`|<>@#-])")
_PLACEHOLDER = re.compile(r"\ue000(\d+)\ue001")

_PLAY = '<svg viewBox="0 0 24 24"><path d="M8 5.14v13.72L19 12z"/></svg>'
_SOUND = (
    '<svg viewBox="0 0 24 24"><path d="M4 9v6h4l5 5V4L8 9zM15.5 8.2v7.6a4.5 4.5 0 0 0 0-7.6z'
    'M15.5 4v2.1a7 7 0 0 1 0 11.8V20a9 9 0 0 0 0-16z"/></svg>'
)
_LEAVE = (
    '<svg viewBox="0 0 24 24"><path d="M15 2v2h3.6l-8 8 1.4 1.4 8-8V9h2V2zM5 5a3 3 0 0 0-3 3v11'
    'a3 3 0 0 0 3 3h11a3 3 0 0 0 3-3v-6h-2v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h6V5z"/>'
    "</svg>"
)
_WHOLE = (
    '<svg viewBox="0 0 24 24"><path d="M4 4h6v2H6v4H4zm10 0h6v6h-2V6h-4zM4 14h2v4h4v2H4z'
    'm14 0h2v6h-6v-2h4z"/></svg>'
)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """How an attached video is shown: one frame of it, stopped `at` of its `seconds`."""

    frame: str
    at: float
    seconds: int


class Look:
    """Draws components; `names` are people by id, `clips` attachments by file name."""

    def __init__(self, *, names: Mapping[int, str], clips: Mapping[str, Clip]) -> None:
        self._names = names
        self._clips = clips

    def draw(self, components: Sequence[Mapping[str, Any]]) -> str:
        """Return the HTML of a message's components."""
        return "".join(self._one(component) for component in components)

    def _one(self, component: Mapping[str, Any]) -> str:
        match component["type"]:
            case 17:
                colour = f"#{component['accent_color']:06x}"
                inner = self.draw(component["components"])
                return f'<div class="container" style="--accent: {colour}">{inner}</div>'
            case 1:
                return f'<div class="row">{self.draw(component["components"])}</div>'
            case 2:
                return _button(component)
            case 10:
                return f'<div class="text">{self._text(component["content"])}</div>'
            case 12:
                return "".join(self._player(item) for item in component["items"])
            case unknown:
                raise ValueError(f"no look for a component of type {unknown}")

    def _player(self, item: Mapping[str, Any]) -> str:
        clip = self._clips[item["media"]["url"].removeprefix("attachment://")]
        return (
            f'<div class="player"><img src="{clip.frame}"><div class="controls">{_PLAY}'
            f"<span>0:{int(clip.at):02} / 0:{clip.seconds:02}</span>"
            f'<div class="track"><i style="width: {clip.at / clip.seconds:.0%}"></i></div>'
            f"{_SOUND}{_WHOLE}</div></div>"
        )

    def _text(self, content: str) -> str:
        return "".join(self._line(line) for line in content.split("\n"))

    def _line(self, line: str) -> str:
        for mark, kind in (("-# ", "small"), ("> ", "quote")):
            if line.startswith(mark):
                return f'<div class="{kind}">{self._inline(line.removeprefix(mark))}</div>'
        return f"<div>{self._inline(line)}</div>"

    def _inline(self, line: str) -> str:
        aside: list[str] = []

        def put_aside(match: re.Match[str]) -> str:
            aside.append(match[1])
            return f"\ue000{len(aside) - 1}\ue001"

        text = html.escape(_ESCAPED.sub(put_aside, line), quote=False)
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
        text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
        text = re.sub(r"&lt;@(\d+)&gt;", self._mention, text)
        return _PLACEHOLDER.sub(lambda match: html.escape(aside[int(match[1])]), text)

    def _mention(self, match: re.Match[str]) -> str:
        return f'<span class="mention">@{html.escape(self._names[int(match[1])])}</span>'


def _button(component: Mapping[str, Any]) -> str:
    style = _BUTTON_STYLES[component["style"]]
    icon = _LEAVE if style == "link" else ""
    return f'<span class="button {style}">{html.escape(component["label"])}{icon}</span>'
