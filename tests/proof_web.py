"""Proves the page in a real browser, by keyboard alone, and lets axe-core judge what it shows.

`make proof-web` runs it, and installs what it needs: Debian's Chromium, where it may, and axe-core
into .venv-proofs. It also takes the pictures docs/page-*.png.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests import clips, page_meanwhile, page_trouble, page_way
from tests.browser_tools import provide_axe, provide_chromium
from tests.chromium import Browser, MissingError, open_browser
from tests.page_audit import DESKTOP, Auditor
from tests.page_way import SIZE, check, open_bot
from tests.speech_api import SpeechApi

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    Step = tuple[str, Callable[[], Coroutine[Any, Any, None]]]

_DOCS = Path(__file__).parents[1] / "docs"


def _is_unplanned(record: logging.LogRecord) -> bool:
    # The stand-ins lose answers when they are told to.
    return not (record.exc_info and record.exc_info[0] is ConnectionResetError)


async def _walk(browser: Browser, steps: list[Step]) -> None:
    for name, step in steps:
        await step()
        check(not browser.complaints, f"{name}: the console says {browser.complaints}")
        sys.stdout.write(f"  ok  {name}\n")
        sys.stdout.flush()


async def _prove_way(browser: Browser, auditor: Auditor, folder: Path) -> None:
    size = "x".join(map(str, SIZE))
    sound = clips.make_speech(folder / "spoken.mp3", seconds=4).read_bytes()
    async with (
        SpeechApi(sound) as voice,
        open_bot(
            folder,
            video_size=size,
            video_seconds=2,
            narration_backend="openai",
            narration_base_url=voice.base_url,
        ) as url,
    ):
        await browser.go(url)
        steps: list[Step] = [
            ("signs in", lambda: page_way.sign_in(browser)),
            ("is judged by one that sees", auditor.prove_itself),
            ("generates with a narration", lambda: page_way.generate(browser, auditor)),
            ("plays the video", lambda: page_way.watch(browser, auditor)),
            ("is photographed", lambda: _photograph(auditor)),
            ("downloads it", lambda: page_way.download(browser, url, folder / "downloads")),
            ("shares it, and ends the link", lambda: page_way.share(browser, auditor, url)),
            ("cancels another", lambda: page_way.cancel(browser)),
            ("has a text spoken", lambda: page_way.speak(browser, auditor, voice)),
            ("goes on without a socket", lambda: page_way.follow_without_socket(browser, url)),
            ("has a name for every control", lambda: page_way.read_out(browser)),
            ("signs out", lambda: page_way.sign_out(browser, url)),
        ]
        await _walk(browser, steps)


async def _prove_trouble(browser: Browser, auditor: Auditor, folder: Path) -> None:
    async with page_trouble.open_troubled_bot(folder) as (url, api, voice):
        steps: list[Step] = [
            ("refuses a wrong token", lambda: page_trouble.knock(browser, auditor, url)),
            ("asks for a script", lambda: page_trouble.order_nothing(browser, auditor, voice)),
            (
                "keeps the focus when it refuses",
                lambda: page_trouble.be_refused(browser, auditor, voice),
            ),
            (
                "says what is wrong with a file",
                lambda: page_trouble.bring_bad_files(browser, auditor, folder),
            ),
            ("says why a video failed", lambda: page_trouble.fail(browser, auditor, api)),
            (
                "asks what only a person can decide",
                lambda: page_trouble.ask(browser, auditor, api, url),
            ),
            ("gives it up", lambda: page_trouble.give_up(browser, api)),
            (
                "orders what stands there",
                lambda: page_meanwhile.hold_still(browser, auditor, voice),
            ),
            (
                "orders nothing for whoever comes next",
                lambda: page_meanwhile.change_hands(browser, voice, url),
            ),
            (
                "says why the line waits",
                lambda: page_trouble.wait_in_line(browser, auditor, api),
            ),
        ]
        await _walk(browser, steps)


async def _photograph(auditor: Auditor) -> None:
    await auditor.photograph(_DOCS / "page-light.png")
    await auditor.photograph(_DOCS / "page-dark.png", dark=True)
    await auditor.photograph(_DOCS / "page-phone.png", phone=True)


async def _run(axe: str) -> Auditor:
    with tempfile.TemporaryDirectory() as way, tempfile.TemporaryDirectory() as trouble:
        async with open_browser() as browser:
            auditor = Auditor(browser, axe)
            await browser.look(width=DESKTOP[0], height=DESKTOP[1])
            await _prove_way(browser, auditor, Path(way))
            await _prove_trouble(browser, auditor, Path(trouble))
    return auditor


def main() -> int:
    """Say what holds, and what does not."""
    logging.getLogger("aiohttp.server").addFilter(_is_unplanned)
    try:
        provide_chromium()
        auditor = asyncio.run(_run(provide_axe()))
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("  The page works by keyboard alone, without an error in the console.\n")
    sys.stdout.write(
        "  axe-core finds nothing, on phone and desktop, in light and dark, in: "
        f"{', '.join(auditor.judged)}.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
