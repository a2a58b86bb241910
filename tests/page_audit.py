"""Lets axe-core judge the page as it stands, and takes pictures of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chromium import Browser

PHONE, DESKTOP = (390, 844), (1280, 900)
# Colours on the way from one to the other are nobody's.
_AT_REST = "document.getAnimations().every((each) => !(each instanceof CSSTransition))"
_JUDGE = """
axe.run(document, { resultTypes: ["violations"] }).then(({ violations, passes }) => ({
  passed: passes.length,
  found: violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)}`)),
}))
"""
_SPOIL = """
document.body.insertAdjacentHTML("beforeend",
  '<p id="spoilt">Hardly seen<img src="static/icon.svg"></p>');
spoilt.style.color = "#777";
spoilt.style.backgroundColor = "#888";
"""
_SPOILT = ("color-contrast", "image-alt")
_COLOURS = 256


class Auditor:
    """Collects what axe-core finds in `browser`; `script` is axe-core itself.

    It is run through DevTools, which the page's policy has no say in.
    """

    def __init__(self, browser: Browser, script: str) -> None:
        self._browser = browser
        self._script = script
        self.judged: list[str] = []

    async def judge(self, state: str) -> None:
        """Judge the page on phone and desktop, in light and dark; AssertionError: violations."""
        found: list[str] = []
        for width, height in (PHONE, DESKTOP):
            for dark in (False, True):
                await self._browser.look(width=width, height=height, dark=dark)
                found += [
                    f"{state}, {width} pixels, {'dark' if dark else 'light'}: {violation}"
                    for violation in await self._violations(state)
                ]
        await self._browser.look(width=DESKTOP[0], height=DESKTOP[1])
        if found:
            raise AssertionError("axe-core finds\n" + "\n".join(found))
        self.judged.append(state)

    async def prove_itself(self) -> None:
        """Spoil the page for a moment: AssertionError: what is wrong then is not found."""
        await self._browser.run(_SPOIL)
        found = await self._violations("a spoilt page")
        await self._browser.run("spoilt.remove()")
        for rule in _SPOILT:
            if not any(violation.startswith(rule) for violation in found):
                raise AssertionError(f"axe-core does not find {rule}")

    async def _violations(self, state: str) -> list[str]:
        await self._browser.until(_AT_REST)
        if not await self._browser.run("Boolean(window.axe)"):
            await self._browser.run(f"{self._script}; null")
        answer = await self._browser.run(_JUDGE)
        if not answer["passed"]:
            raise AssertionError(f"{state}: axe-core has judged nothing")
        violations: list[str] = answer["found"]
        wide = await self._browser.run("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            violations.append(f"{wide} pixels stick out")
        return violations

    async def photograph(self, path: Path, *, phone: bool = False, dark: bool = False) -> None:
        """Save a small picture of the page as a phone or a desktop shows it."""
        width, height = PHONE if phone else DESKTOP
        await self._browser.look(width=width, height=height, dark=dark)
        await self._browser.run("document.activeElement.blur(); scrollTo(0, 0)")
        await self._browser.until(_AT_REST)
        await self._browser.photograph(path)
        await asyncio.to_thread(_shrink, path)
        await self._browser.look(width=DESKTOP[0], height=DESKTOP[1])


def _shrink(path: Path) -> None:
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLOURS)
    small.save(path, optimize=True)
