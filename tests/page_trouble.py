"""What goes wrong on the page, and how it says so: by keyboard alone, the provider in hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.clips import make_clip
from tests.page_way import SHOWN, check, open_bot, sign_in
from tests.videos_api import VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.chromium import Browser
    from tests.page_audit import Auditor

_SCRIPT = "A lighthouse in a storm"
_MOST_MB = 1


@asynccontextmanager
async def open_troubled_bot(folder: Path) -> AsyncGenerator[tuple[str, VideosApi]]:
    """Run the bot with its page before a provider that does what it is told."""
    clip = await asyncio.to_thread(make_clip, folder / "clip.mp4")
    async with (
        VideosApi(clip=clip) as api,
        open_bot(
            folder / "bot",
            video_backend="openai",
            openai_base_url=api.base_url,
            prompt_writer="off",
            max_audio_mb=_MOST_MB,
        ) as url,
    ):
        yield url, api


async def knock(browser: Browser, auditor: Auditor, url: str) -> None:
    """Sign in with a wrong token, then with the right one."""
    await browser.go(url)
    await browser.until(SHOWN.format("door"))
    await auditor.judge("the door")
    await browser.tab_to("token")
    await browser.type("a-token-that-is-of-nobody")
    await browser.press("Enter")
    await _says(browser, "door-error", "That token is not one of this bot.")
    browser.excuse("/api/session")
    await auditor.judge("a wrong token")
    await browser.run("token.value = ''")
    await sign_in(browser)


async def order_nothing(browser: Browser, auditor: Auditor) -> None:
    """Press Generate without a script: it is asked for, and nothing is ordered."""
    await browser.tab_to("generate")
    await browser.press("Enter")
    await _says(browser, "compose-error", "")
    check(await browser.run("document.activeElement.id") == "script", "the script has the focus")
    check(not await browser.run("document.querySelectorAll('.job').length"), "it was ordered")
    await auditor.judge("an order without a script")


async def bring_bad_files(browser: Browser, auditor: Auditor, folder: Path) -> None:
    """Choose a file that is too large, then one that is no sound."""
    large, bad = folder / "large.mp3", folder / "bad.mp3"
    large.write_bytes(bytes(_MOST_MB * 1024 * 1024 + 1))
    bad.write_text("This is a text, whatever its name says.")
    await browser.tab_to("script")
    await browser.type(_SCRIPT)
    await browser.tab_to("audio")
    await browser.choose_file("audio", large)
    await _says(browser, "compose-error", f"{_MOST_MB} MB")
    check(await browser.run("document.getElementById('file').hidden"), "it was taken")
    await browser.choose_file("audio", bad)
    await browser.until(SHOWN.format("file"))
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("ended"))
    await _says(browser, "why", "what was found is TEXT")
    await auditor.judge("a file that is no sound")


async def fail(browser: Browser, auditor: Auditor, api: VideosApi) -> None:
    """See a job fail that was under way: the page says why, and gives the script back."""
    before = len(api.creates)
    await browser.tab_to("again")
    await browser.press("Enter")
    written = await browser.run("document.getElementById('script').value")
    check(written == _SCRIPT, f"the script reads {written!r}")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    async with asyncio.timeout(30):
        while len(api.creates) == before:  # noqa: ASYNC110 - the stand-in has no event
            await asyncio.sleep(0.05)
    api.progress(api.creates[-1], 42)
    await browser.until("document.getElementById('bar').getAttribute('aria-valuenow') === '42'")
    await auditor.judge("a video under way")
    api.fail(api.creates[-1], "moderation_blocked", "Your request was blocked.")
    await browser.until(SHOWN.format("ended"))
    await _says(browser, "why", "Content policy violation")
    await auditor.judge("a video that failed")


async def _says(browser: Browser, element_id: str, text: str) -> None:
    await browser.until(SHOWN.format(element_id))
    said = await browser.run(f"document.getElementById({element_id!r}).textContent")
    check(said and text in said, f"#{element_id} says {said!r}")
