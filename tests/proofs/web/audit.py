"""Checks the accessibility of the page with axe-core, and takes screenshots of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.support.browser.keyboard_user import DESKTOP, PHONE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.browser.keyboard_user import KeyboardUser

# Colours during a transition belong to no theme. This is a function, because the page's content
# policy forbids Playwright to poll an expression.
_NO_TRANSITION = "() => document.getAnimations().every((each) => !(each instanceof CSSTransition))"
_RUN_AXE = """
axe.run(document, { resultTypes: ["violations"] }).then(({ violations, incomplete, passes }) => ({
  passed: passes.length,
  undecided: incomplete.map(({ id }) => id),
  found: violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)}`)),
}))
"""
_ADD_FAULTS = """
document.body.insertAdjacentHTML("beforeend",
  '<p id="faulty">Hardly visible<img src="static/icon.svg"></p>');
faulty.style.color = "#777";
faulty.style.backgroundColor = "#888";
"""
_FAULT_RULES = ("color-contrast", "image-alt")
_COLOURS = 256


class Auditor:
    """Audits the page of `user` with axe-core, whose source is `script`.

    Playwright evaluates it over DevTools, where the page's content policy does not apply, so the
    page keeps its policy.
    """

    def __init__(self, user: KeyboardUser, script: str) -> None:
        self._user = user
        self._page = user.page
        self._script = script
        self.audited: list[str] = []

    async def audit(self, state: str) -> None:
        """Audit the page on phone and desktop, in light and dark; AssertionError: violations."""
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
            raise AssertionError("axe-core finds:\n" + "\n".join(found))
        self.audited.append(state)

    async def check_itself(self) -> None:
        """Add faults to the page temporarily; AssertionError: axe-core does not find them."""
        await self._page.evaluate(_ADD_FAULTS)
        found = await self._violations("a page with faults")
        await self._page.evaluate("faulty.remove()")
        for rule in _FAULT_RULES:
            if not any(violation.startswith(rule) for violation in found):
                raise AssertionError(f"axe-core does not find {rule}")

    async def undecided(self) -> frozenset[str]:
        """Return the rules of which axe-core can't say whether the page keeps them."""
        answer = await self._run("the page")
        return frozenset(answer["undecided"])

    async def _violations(self, state: str) -> list[str]:
        answer = await self._run(state)
        violations: list[str] = answer["found"]
        wide = await self._page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            violations.append(f"the page is {wide} pixels too wide")
        return violations

    async def _run(self, state: str) -> dict[str, Any]:
        await self._page.wait_for_function(_NO_TRANSITION)
        if not await self._page.evaluate("Boolean(window.axe)"):
            await self._page.evaluate(f"{self._script}; null")
        answer = await self._page.evaluate(_RUN_AXE)
        if not answer["passed"]:
            raise AssertionError(f"{state}: axe-core has checked nothing")
        return answer

    async def screenshot(self, path: Path, *, phone: bool = False, dark: bool = False) -> None:
        """Save a compressed screenshot of the page on a phone or a desktop."""
        await self._user.look(PHONE if phone else DESKTOP, dark=dark)
        await self._page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        await self._page.wait_for_function(_NO_TRANSITION)
        await self._page.screenshot(path=path, full_page=True)
        await asyncio.to_thread(_shrink, path)
        await self._user.look()


def _shrink(path: Path) -> None:
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLOURS)
    small.save(path, optimize=True)
