"""Renders a message's component tree as HTML that looks like Discord."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BUTTON_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}

# Escaped characters are literal, so they are replaced by placeholders before markup is parsed.
_ESCAPED = re.compile(r"\\([\\*_~`|<>@#-])")
_PLACEHOLDER = re.compile(r"\ue000(\d+)\ue001")

_PLAY_ICON = '<svg viewBox="0 0 24 24"><path d="M8 5.14v13.72L19 12z"/></svg>'
_SOUND_ICON = (
    '<svg viewBox="0 0 24 24"><path d="M4 9v6h4l5 5V4L8 9zM15.5 8.2v7.6a4.5 4.5 0 0 0 0-7.6z'
    'M15.5 4v2.1a7 7 0 0 1 0 11.8V20a9 9 0 0 0 0-16z"/></svg>'
)
_LINK_ICON = (
    '<svg viewBox="0 0 24 24"><path d="M15 2v2h3.6l-8 8 1.4 1.4 8-8V9h2V2zM5 5a3 3 0 0 0-3 3v11'
    'a3 3 0 0 0 3 3h11a3 3 0 0 0 3-3v-6h-2v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h6V5z"/>'
    "</svg>"
)
_FULLSCREEN_ICON = (
    '<svg viewBox="0 0 24 24"><path d="M4 4h6v2H6v4H4zm10 0h6v6h-2V6h-4zM4 14h2v4h4v2H4z'
    'm14 0h2v6h-6v-2h4z"/></svg>'
)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """An attached video, shown by one frame as if paused `at` seconds of its `seconds`."""

    frame: str
    at: float
    seconds: int


class DiscordHtml:
    """Renders components; `names` are user names by id, `clips` attachments by file name."""

    def __init__(self, *, names: Mapping[int, str], clips: Mapping[str, Clip]) -> None:
        self._names = names
        self._clips = clips

    def render(self, components: Sequence[Mapping[str, Any]]) -> str:
        """Return the HTML of a message's components."""
        return "".join(self._component(component) for component in components)

    def _component(self, component: Mapping[str, Any]) -> str:
        match component["type"]:
            case 17:
                colour = f"#{component['accent_color']:06x}"
                inner = self.render(component["components"])
                return f'<div class="container" style="--accent: {colour}">{inner}</div>'
            case 1:
                return f'<div class="row">{self.render(component["components"])}</div>'
            case 2:
                return _button(component)
            case 10:
                return f'<div class="text">{self._text(component["content"])}</div>'
            case 12:
                return "".join(self._player(item) for item in component["items"])
            case unknown:
                raise ValueError(f"cannot render a component of type {unknown}")

    def _player(self, item: Mapping[str, Any]) -> str:
        clip = self._clips[item["media"]["url"].removeprefix("attachment://")]
        return (
            f'<div class="player"><img src="{clip.frame}"><div class="controls">{_PLAY_ICON}'
            f"<span>0:{int(clip.at):02} / 0:{clip.seconds:02}</span>"
            f'<div class="track"><i style="width: {clip.at / clip.seconds:.0%}"></i></div>'
            f"{_SOUND_ICON}{_FULLSCREEN_ICON}</div></div>"
        )

    def _text(self, content: str) -> str:
        return "".join(self._line(line) for line in content.split("\n"))

    def _line(self, line: str) -> str:
        for mark, kind in (("-# ", "small"), ("> ", "quote")):
            if line.startswith(mark):
                return f'<div class="{kind}">{self._inline(line.removeprefix(mark))}</div>'
        return f"<div>{self._inline(line)}</div>"

    def _inline(self, line: str) -> str:
        escaped: list[str] = []

        def to_placeholder(match: re.Match[str]) -> str:
            escaped.append(match[1])
            return f"\ue000{len(escaped) - 1}\ue001"

        text = html.escape(_ESCAPED.sub(to_placeholder, line), quote=False)
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
        text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
        text = re.sub(r"&lt;@(\d+)&gt;", self._mention, text)
        return _PLACEHOLDER.sub(lambda match: html.escape(escaped[int(match[1])]), text)

    def _mention(self, match: re.Match[str]) -> str:
        return f'<span class="mention">@{html.escape(self._names[int(match[1])])}</span>'


def _button(component: Mapping[str, Any]) -> str:
    style = _BUTTON_STYLES[component["style"]]
    icon = _LINK_ICON if style == "link" else ""
    return f'<span class="button {style}">{html.escape(component["label"])}{icon}</span>'
