"""Tells which characters in a prompt can't be drawn, before the video is ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.storyboard.lettering.typefaces import Typefaces

_REMEMBERED = 64


class StoryboardCoverage:
    """Looks up characters in the fonts for title cards.

    The fonts are opened for the first prompt.
    """

    def __init__(self) -> None:
        self._typefaces: Typefaces | None = None
        self._known: dict[str, tuple[str, ...]] = {}

    def missing(self, prompt: str) -> tuple[str, ...]:
        """Return the distinct characters of a prompt for which there is no glyph."""
        if prompt.isascii():
            return ()
        if prompt not in self._known:
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[prompt] = self._look_up(prompt)
        return self._known[prompt]

    def _look_up(self, prompt: str) -> tuple[str, ...]:
        # These modules, and HarfBuzz, are loaded only when they are needed.
        from bot.storyboard.lettering.scenes import clean  # noqa: PLC0415
        from bot.storyboard.lettering.typefaces import Typefaces  # noqa: PLC0415

        if self._typefaces is None:
            self._typefaces = Typefaces()
        return tuple(self._typefaces.missing(clean(prompt)))
