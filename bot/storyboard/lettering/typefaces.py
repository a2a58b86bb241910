"""Chooses a typeface for each cluster of a text from the installed font packages.

The module loads HarfBuzz, so it is only imported in a worker thread.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import uharfbuzz as hb

from bot.storyboard.lettering.clusters import clusters, is_emoji, is_joint

_DISPLAY = "fontpkg_fraunces/files/Fraunces[SOFT,WONK,opsz,wght].ttf"
_EMOJI = "manimgx_fonts/NotoEmoji[wght].ttf"
_NOTO_SANS = "manimgx_fonts/NotoSans[wght].ttf"
_NOTO_SANS_CJK = "manimgx_fonts_cjk/NotoSansCJK-VF.otf.ttc"
_SCRIPTS = (
    *("Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati"),
    *("Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya"),
    *("Sinhala", "Tamil", "Telugu", "Thai", "Symbols"),
)
_TEXT = (
    _NOTO_SANS,
    _NOTO_SANS_CJK,
    *(f"manimgx_fonts/NotoSans{script}[wght].ttf" for script in _SCRIPTS),
)
_DISPLAY_AXES = {"opsz": 96.0, "SOFT": 60.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """A style of lettering.

    `weight`: the weight of the typeface, from 100 to 900.
    `is_display`: whether Latin letters have the typeface of titles.
    """

    weight: int
    is_display: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TypefaceRun:
    """A part of a text that is drawn in one typeface."""

    start: int
    end: int
    font: hb.Font
    is_emoji: bool


class Typefaces:
    """The installed typefaces. Each is opened when a text needs it for the first time."""

    def __init__(self) -> None:
        self._faces: dict[str, hb.Face] = {}
        self._fonts: dict[tuple[str, Style], hb.Font] = {}

    def missing(self, text: str) -> list[str]:
        """Return each distinct cluster in a text that no typeface can draw."""
        style = Style(weight=400)
        each = dict.fromkeys(clusters(text))
        return [cluster for cluster in each if not self._name(cluster, "", style)]

    def drawable(self, text: str) -> str:
        """Return a text without the clusters that no typeface can draw."""
        lost = set(self.missing(text))
        return "".join(cluster for cluster in clusters(text) if cluster not in lost)

    def runs(self, text: str, style: Style) -> list[TypefaceRun]:
        """Divide a text into parts that are each drawn in one typeface.

        The typeface of titles is only used if it can draw all of the text except emoji.
        """
        display = style.is_display and self._sets_all(_DISPLAY, text)
        style = Style(weight=style.weight, is_display=display)
        found: list[TypefaceRun] = []
        name = ""
        at = 0
        for cluster in clusters(text):
            before, name = name, self._name(cluster, name, style) or _NOTO_SANS
            end = at + len(cluster)
            start = found.pop().start if name == before else at
            font = self._font(name, style)
            found.append(TypefaceRun(start=start, end=end, font=font, is_emoji=name == _EMOJI))
            at = end
        return found

    def _sets_all(self, name: str, text: str) -> bool:
        letters = (cluster for cluster in clusters(text) if not is_emoji(cluster))
        return all(self._has(name, cluster) for cluster in letters)

    def _name(self, cluster: str, before: str, style: Style) -> str | None:
        """Return the name of the typeface for a cluster, or None if no typeface can draw it.

        Punctuation has the same typeface as the text before it.
        """
        names = [_EMOJI, *_TEXT] if is_emoji(cluster) else [*_TEXT, _EMOJI]
        if style.is_display:
            names.insert(0, _DISPLAY)
        if before not in ("", _EMOJI) and not cluster[0].isalpha() and not is_emoji(cluster):
            names.insert(0, before)
        return next((name for name in names if self._has(name, cluster)), None)

    def _has(self, name: str, cluster: str) -> bool:
        font = self._font(name, Style(weight=400))
        drawn = (char for char in cluster if not char.isspace() and not is_joint(char))
        return all(
            font.get_nominal_glyph(ord(char))
            for char in unicodedata.normalize("NFC", "".join(drawn))
        )

    def _font(self, name: str, style: Style) -> hb.Font:
        key = name, style
        if key not in self._fonts:
            font = hb.Font(self._face(name))
            axes = _DISPLAY_AXES if name == _DISPLAY else {}
            font.set_variations({"wght": float(style.weight), **axes})
            self._fonts[key] = font
        return self._fonts[key]

    def _face(self, name: str) -> hb.Face:
        if name not in self._faces:
            package, _, file = name.partition("/")
            self._faces[name] = hb.Face(hb.Blob.from_file_path(str(_folder(package) / file)))
        return self._faces[name]


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the font package {package} is not installed")
    return Path(spec.origin).parent
