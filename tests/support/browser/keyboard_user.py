"""A user of the page who has only a keyboard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.support.browser.chromium import Console

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from playwright.async_api import Browser, Page

PHONE, DESKTOP = (390, 844), (1280, 900)
_STEP_SECONDS = 60.0
_MAX_TABS = 40
_HAS_FOCUS = "(selector) => Boolean(document.activeElement?.matches(selector))"


class KeyboardUser:
    """Reaches elements of `page` with Tab, and activates them with Enter."""

    def __init__(self, page: Page, console: Console) -> None:
        self.page = page
        self.console = console

    async def look(self, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> None:
        """Set the screen size in pixels and the color scheme."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})
        await self.page.emulate_media(color_scheme="dark" if dark else "light")

    async def tab_to(self, selector: str) -> None:
        """Press Tab until an element has the focus; LookupError: Tab does not reach it."""
        for _ in range(_MAX_TABS):
            if await self.page.evaluate(_HAS_FOCUS, selector):
                return
            await self.page.keyboard.press("Tab")
        raise LookupError(f"{selector} can't be reached with Tab")

    async def press(self, selector: str) -> None:
        """Activate a button or a link."""
        await self.tab_to(selector)
        await self.page.keyboard.press("Enter")

    async def write(self, selector: str, text: str) -> None:
        """Type into a field, after its present text."""
        await self.tab_to(selector)
        await self.page.keyboard.type(text)

    async def clear(self, selector: str) -> None:
        """Empty a field."""
        await self.tab_to(selector)
        await self.page.keyboard.press("ControlOrMeta+A")
        await self.page.keyboard.press("Delete")

    async def sees(self, selector: str, *, within: float = _STEP_SECONDS) -> None:
        """Wait until an element is visible."""
        await expect(self.page.locator(selector)).to_be_visible(timeout=within * 1000)

    async def reads(self, selector: str, text: str) -> None:
        """Wait until an element is visible and contains a text."""
        await self.sees(selector)
        await expect(self.page.locator(selector)).to_contain_text(text)

    async def is_at(self, selector: str) -> None:
        """Wait until an element has the focus."""
        await expect(self.page.locator(selector)).to_be_focused()


@asynccontextmanager
async def open_user(browser: Browser) -> AsyncGenerator[KeyboardUser]:
    """Open a page in a new browser context."""
    context = await browser.new_context(locale="en-US")
    context.set_default_timeout(_STEP_SECONDS * 1000)
    expect.set_options(timeout=_STEP_SECONDS * 1000)
    console = Console()
    console.listen(context)
    user = KeyboardUser(await context.new_page(), console)
    await user.look()
    yield user
    await context.close()
