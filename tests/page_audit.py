"""Lets axe-core judge the page as it stands, and takes pictures of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PIL import Image

from tests.keyboard_user import DESKTOP, PHONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.keyboard_user import KeyboardUser

# The colours of a transition under way are in no theme. A function, since the page's policy
# forbids that Playwright evaluates an expression again and again.
_AT_REST = "() => document.getAnimations().every((each) => !(each instanceof CSSTransition))"
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
    """Collects what axe-core finds in the page of `user`; `script` is axe-core itself.

    Playwright evaluates it over DevTools, where the page's policy does not apply: the page itself
    keeps that policy.
    """

    def __init__(self, user: KeyboardUser, script: str) -> None:
        self._user = user
        self._page = user.page
        self._script = script
        self.judged: list[str] = []

    async def judge(self, state: str) -> None:
        """Judge the page on phone and desktop, in light and dark; AssertionError: violations."""
        found: list[str] = []
        for size in (PHONE, DESKTOP):
            for dark in (False, True):
                await self._user.look(size, dark=dark)
                found += [
                    f"{state}, {size[0]} pixels, {'dark' if dark else 'light'}: {violation}"
                    for violation in await self._violations(state)
                ]
        await self._user.look()
        if found:
            raise AssertionError("axe-core finds\n" + "\n".join(found))
        self.judged.append(state)

    async def prove_itself(self) -> None:
        """Spoil the page for a moment: AssertionError: what is wrong then is not found."""
        await self._page.evaluate(_SPOIL)
        found = await self._violations("a spoilt page")
        await self._page.evaluate("spoilt.remove()")
        for rule in _SPOILT:
            if not any(violation.startswith(rule) for violation in found):
                raise AssertionError(f"axe-core does not find {rule}")

    async def _violations(self, state: str) -> list[str]:
        await self._page.wait_for_function(_AT_REST)
        if not await self._page.evaluate("Boolean(window.axe)"):
            await self._page.evaluate(f"{self._script}; null")
        answer = await self._page.evaluate(_JUDGE)
        if not answer["passed"]:
            raise AssertionError(f"{state}: axe-core has judged nothing")
        violations: list[str] = answer["found"]
        wide = await self._page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            violations.append(f"{wide} pixels stick out")
        return violations

    async def photograph(self, path: Path, *, phone: bool = False, dark: bool = False) -> None:
        """Save a small picture of the page as a phone or a desktop shows it."""
        await self._user.look(PHONE if phone else DESKTOP, dark=dark)
        await self._page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        await self._page.wait_for_function(_AT_REST)
        await self._page.screenshot(path=path, full_page=True)
        await asyncio.to_thread(_shrink, path)
        await self._user.look()


def _shrink(path: Path) -> None:
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLOURS)
    small.save(path, optimize=True)
