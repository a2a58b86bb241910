"""A headless Chromium, driven by Playwright, and what its console shows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from tests.browser_tools import find_chromium

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, WebError

# Beside Playwright's own options. Chromium would ask its maker about every form.
_OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@asynccontextmanager
async def open_chromium() -> AsyncGenerator[Browser]:
    """Start the machine's Chromium with an empty profile; MissingError: there is none."""
    binary = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=binary, args=_OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()


class Console:
    """Collects what pages complain of in their console: errors, and warnings of their scripts."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def listen(self, context: BrowserContext) -> None:
        """Collect from every page of a context."""
        context.on("console", self._note)
        context.on("weberror", self._note_error)

    def _note(self, message: ConsoleMessage) -> None:
        # Only what a script says has arguments. The browser warns of a socket closed too early.
        if message.type == "error" or (message.type == "warning" and message.args):
            self.complaints.append(f"{message.text} {message.location['url']}")

    def _note_error(self, error: WebError) -> None:
        self.complaints.append(str(error.error))

    def excuse(self, expected: str) -> None:
        """Forget the complaints that name what had to fail; AssertionError: there are none."""
        left = [said for said in self.complaints if expected not in said]
        if left == self.complaints:
            raise AssertionError(f"the console says nothing of {expected}")
        self.complaints = left
