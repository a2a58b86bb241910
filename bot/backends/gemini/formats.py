"""The video formats that Gemini Omni supports, and the list prices of clips."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIN_SECONDS, _MAX_SECONDS = 3, 15
# The aspect ratio and the resolution of each size.
_FORMATS: Mapping[str, tuple[str, str]] = {
    "640x360": ("16:9", "360p"),
    "360x640": ("9:16", "360p"),
    "1280x720": ("16:9", "720p"),
    "720x1280": ("9:16", "720p"),
    "1920x1080": ("16:9", "1080p"),
    "1080x1920": ("9:16", "1080p"),
    "3840x2160": ("16:9", "4k"),
    "2160x3840": ("9:16", "4k"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPrice:
    """The list price of a clip in US dollars.

    `as_of`: the month of the price list, such as "2026-11".
    """

    dollars: float
    as_of: str


def response_format(*, seconds: int, size: str) -> dict[str, str]:
    """Return the value of the API's field `response_format` for a clip.

    The video is requested as a file, because a response has room for only a short clip.

    Raises StartupError if the API doesn't support the length or the size.
    """
    if not _MIN_SECONDS <= seconds <= _MAX_SECONDS:
        raise StartupError(
            f"VIDEO_SECONDS: Gemini Omni makes clips of {_MIN_SECONDS} to {_MAX_SECONDS} seconds, "
            f"not {seconds}."
        )
    if size not in _FORMATS:
        raise StartupError(f"VIDEO_SIZE: Gemini Omni makes {', '.join(_FORMATS)}, not {size}.")
    aspect_ratio, resolution = _FORMATS[size]
    return {
        "type": "video",
        "resolution": resolution,
        "aspect_ratio": aspect_ratio,
        "duration": f"{seconds}s",
        "delivery": "uri",
    }


def list_price(*, model: str, seconds: int, size: str) -> ListPrice | None:
    """Return the list price of a clip, or None if `prices.toml` does not contain it."""
    listed = tomllib.loads((files("bot.backends") / "prices.toml").read_text("utf-8")).get(model)
    _, resolution = _FORMATS.get(size, ("", ""))
    if listed is None or resolution not in listed:
        return None
    return ListPrice(dollars=listed[resolution] * seconds, as_of=listed["as_of"])
