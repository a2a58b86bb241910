"""Describes the lengths and prices of the clips that a video service can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.runtime.costs import lengths_of

if TYPE_CHECKING:
    from bot.backends.capabilities import Capabilities
    from bot.settings.fields import Settings


def describe_lengths(settings: Settings, offered: Capabilities) -> str:
    """Describe the effect of VIDEO_SECONDS_MAX, or return "" if all clips have the same length."""
    lengths = lengths_of(settings, offered)
    if lengths.longer:
        return f", clips of {lengths.usual} s, up to {lengths.longest} s for a narration"
    if (settings.video_seconds_max or 0) <= lengths.usual:
        return ""
    reason = "longer clips are not on offer" if offered.lengths else "VIDEO_LENGTHS is empty"
    return f", clips of {lengths.usual} s only, because {reason}"


def describe_price(second: float | None, settings: Settings, offered: Capabilities) -> str:
    """Describe the price of a clip. `second`: the list price per second, in US dollars."""
    if second is None:
        return "no price is listed"
    lengths = lengths_of(settings, offered)
    most = f" to ${second * lengths.longest:.2f}" if lengths.longer else ""
    return f"about ${second * lengths.usual:.2f}{most} a clip"
