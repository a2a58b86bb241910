"""A headless Chromium driven by Playwright, and the errors in its console."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from tests.support.browser.tools import find_chromium

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, WebError

# Added to Playwright's own options. Without the last one, Chromium contacts Google about forms.
_OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@asynccontextmanager
async def open_chromium() -> AsyncGenerator[Browser]:
    """Start the installed Chromium with an empty profile; MissingError: there is none."""
    binary = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=binary, args=_OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()


class Console:
    """Collects the errors in the console of pages, and the warnings that their scripts write."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def listen(self, context: BrowserContext) -> None:
        """Collect from all pages of a context."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        # Only messages of scripts have arguments. The browser's own warnings, such as that of a
        # WebSocket closed early, are ignored.
        if message.type == "error" or (message.type == "warning" and message.args):
            self.errors.append(f"{message.text} {message.location['url']}")

    def _on_error(self, error: WebError) -> None:
        self.errors.append(str(error.error))

    def expect_error(self, expected: str) -> None:
        """Remove the errors that contain `expected`; AssertionError: there are none."""
        others = [error for error in self.errors if expected not in error]
        if others == self.errors:
            raise AssertionError(f"the console has no error about {expected}")
        self.errors = others
