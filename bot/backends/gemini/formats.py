"""The video formats that Gemini Omni supports, and the list prices of clips."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from bot.backends.capabilities import GEMINI
from bot.errors import StartupError

_4K_LINES = 2160


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPrice:
    """The list price of a second of video in US dollars.

    `as_of`: the month of the price list, such as "2026-11".
    """

    second_dollars: float
    as_of: str


def response_format(*, seconds: int, size: str) -> dict[str, str]:
    """Return the value of the API's field `response_format` for a clip.

    The video is requested as a file, because a response has room for only a short clip.

    Raises StartupError if the API doesn't support the length or the size.
    """
    lengths, sizes = GEMINI.lengths, GEMINI.sizes
    if seconds not in lengths:
        raise StartupError(
            f"VIDEO_SECONDS: Gemini Omni makes clips of {lengths[0]} to {lengths[-1]} seconds, "
            f"not {seconds}."
        )
    if size not in sizes:
        raise StartupError(f"VIDEO_SIZE: Gemini Omni makes {', '.join(sizes)}, not {size}.")
    width, height = _sides(size)
    return {
        "type": "video",
        "resolution": _resolution(size),
        "aspect_ratio": "16:9" if width > height else "9:16",
        "duration": f"{seconds}s",
        "delivery": "uri",
    }


def list_price(*, model: str, size: str) -> ListPrice | None:
    """Return the list price of a second, or None if `prices.toml` does not contain it."""
    listed = tomllib.loads((files("bot.backends") / "prices.toml").read_text("utf-8")).get(model)
    if listed is None or size not in GEMINI.sizes or _resolution(size) not in listed:
        return None
    return ListPrice(second_dollars=listed[_resolution(size)], as_of=listed["as_of"])


def _resolution(size: str) -> str:
    lines = min(_sides(size))
    return "4k" if lines == _4K_LINES else f"{lines}p"


def _sides(size: str) -> tuple[int, int]:
    width, height = size.split("x")
    return int(width), int(height)
