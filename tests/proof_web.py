"""Proves the page in a real browser, by keyboard alone, and lets axe-core judge what it shows.

`make proof-web` runs it, and installs what it needs: Playwright into .venv-browser, axe-core into
.venv-proofs, and Debian's Chromium, where it may. It also takes the pictures docs/page-*.png.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests import clips, page_meanwhile, page_trouble, page_way
from tests.browser_tools import MissingError, provide_axe, provide_chromium
from tests.chromium import open_chromium
from tests.keyboard_user import open_user
from tests.page_audit import Auditor
from tests.page_way import SIZE, check, open_bot
from tests.speech_api import SpeechApi

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tests.keyboard_user import KeyboardUser

    Step = tuple[str, Callable[[], Coroutine[Any, Any, None]]]

_DOCS = Path(__file__).parents[1] / "docs"


def _is_unplanned(record: logging.LogRecord) -> bool:
    # The stand-ins lose answers when they are told to.
    return not (record.exc_info and record.exc_info[0] is ConnectionResetError)


async def _walk(user: KeyboardUser, steps: list[Step]) -> None:
    for name, step in steps:
        await step()
        check(not user.console.complaints, f"{name}: the console says {user.console.complaints}")
        sys.stdout.write(f"  ok  {name}\n")
        sys.stdout.flush()


async def _prove_way(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
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
        await user.page.goto(url)
        steps: list[Step] = [
            ("signs in", lambda: page_way.sign_in(user)),
            ("is judged by one that sees", auditor.prove_itself),
            ("generates with a narration", lambda: page_way.generate(user, auditor)),
            ("plays the video", lambda: page_way.watch(user, auditor)),
            ("is photographed", lambda: _photograph(auditor)),
            ("downloads it", lambda: page_way.download(user, url)),
            ("shares it, and ends the link", lambda: page_way.share(user, auditor, url)),
            ("cancels another", lambda: page_way.cancel(user)),
            ("has a text spoken", lambda: page_way.speak(user, auditor, voice)),
            ("goes on without a socket", lambda: page_way.follow_without_socket(user, url)),
            ("has a name for every control", lambda: page_way.read_out(user)),
            ("signs out", lambda: page_way.sign_out(user, url)),
        ]
        await _walk(user, steps)


async def _prove_trouble(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
    async with page_trouble.open_troubled_bot(folder) as (url, api, voice):
        steps: list[Step] = [
            ("refuses a wrong token", lambda: page_trouble.knock(user, auditor, url)),
            ("asks for a script", lambda: page_trouble.order_nothing(user, auditor, voice)),
            (
                "keeps the focus when it refuses",
                lambda: page_trouble.be_refused(user, auditor, voice),
            ),
            (
                "says what is wrong with a file",
                lambda: page_trouble.bring_bad_files(user, auditor, folder),
            ),
            ("says why a video failed", lambda: page_trouble.fail(user, auditor, api)),
            (
                "asks what only the client can decide",
                lambda: page_trouble.ask(user, auditor, api, url),
            ),
            ("gives it up", lambda: page_trouble.give_up(user, api)),
            (
                "orders what stands there",
                lambda: page_meanwhile.hold_still(user, auditor, voice),
            ),
            (
                "orders nothing for the next client",
                lambda: page_meanwhile.change_hands(user, voice, url),
            ),
            (
                "says why the line waits",
                lambda: page_trouble.wait_in_line(user, auditor, api),
            ),
        ]
        await _walk(user, steps)


async def _photograph(auditor: Auditor) -> None:
    await auditor.photograph(_DOCS / "page-light.png")
    await auditor.photograph(_DOCS / "page-dark.png", dark=True)
    await auditor.photograph(_DOCS / "page-phone.png", phone=True)


async def _run(axe: str) -> Auditor:
    with tempfile.TemporaryDirectory() as way, tempfile.TemporaryDirectory() as trouble:
        async with open_chromium() as chromium, open_user(chromium) as user:
            auditor = Auditor(user, axe)
            await _prove_way(user, auditor, Path(way))
            await _prove_trouble(user, auditor, Path(trouble))
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
