"""Tests the page in a real browser, by keyboard alone, and checks its accessibility with axe-core.

`make proof-web` runs it and installs its tools: Playwright into .venv-browser, axe-core into
.venv-proofs, and Debian's Chromium if it can. It also takes the screenshots docs/page-*.png.
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


def _is_unexpected(record: logging.LogRecord) -> bool:
    # The stand-ins reset connections on purpose.
    return not (record.exc_info and record.exc_info[0] is ConnectionResetError)


async def _run_steps(user: KeyboardUser, steps: list[Step]) -> None:
    for name, step in steps:
        await step()
        check(not user.console.errors, f"{name}: the console has {user.console.errors}")
        sys.stdout.write(f"  ok  {name}\n")
        sys.stdout.flush()


async def _test_ordinary_use(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
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
            ("finds faults with axe-core", auditor.check_itself),
            ("generates with a narration", lambda: page_way.generate(user, auditor)),
            ("plays the video", lambda: page_way.watch(user, auditor)),
            ("is in the screenshots", lambda: _take_screenshots(auditor)),
            ("downloads it", lambda: page_way.download(user, url)),
            ("shares it, and withdraws the link", lambda: page_way.share(user, auditor, url)),
            ("cancels another", lambda: page_way.cancel(user)),
            ("has a text spoken", lambda: page_way.speak(user, auditor, voice)),
            ("continues without a WebSocket", lambda: page_way.follow_without_socket(user, url)),
            ("has a name for every control", lambda: page_way.check_names(user)),
            ("signs out", lambda: page_way.sign_out(user, url)),
        ]
        await _run_steps(user, steps)


async def _test_failures(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
    async with page_trouble.open_troubled_bot(folder) as (url, api, voice):
        steps: list[Step] = [
            ("refuses a wrong token", lambda: page_trouble.sign_in_wrongly(user, auditor, url)),
            ("asks for a script", lambda: page_trouble.order_nothing(user, auditor, voice)),
            (
                "keeps the focus when it refuses",
                lambda: page_trouble.be_refused(user, auditor, voice),
            ),
            (
                "says what is wrong with a file",
                lambda: page_trouble.choose_bad_files(user, auditor, folder),
            ),
            ("says why a video failed", lambda: page_trouble.fail(user, auditor, api)),
            (
                "asks about an unconfirmed create",
                lambda: page_trouble.retry(user, auditor, api, url),
            ),
            ("abandons another", lambda: page_trouble.cancel_undecided(user, api)),
            (
                "orders what the locked form shows",
                lambda: page_meanwhile.edit_while_locked(user, auditor, voice),
            ),
            (
                "orders nothing for the next client",
                lambda: page_meanwhile.switch_clients(user, voice, url),
            ),
            (
                "says why a video waits",
                lambda: page_trouble.wait_for_provider(user, auditor, api),
            ),
        ]
        await _run_steps(user, steps)


async def _take_screenshots(auditor: Auditor) -> None:
    await auditor.screenshot(_DOCS / "page-light.png")
    await auditor.screenshot(_DOCS / "page-dark.png", dark=True)
    await auditor.screenshot(_DOCS / "page-phone.png", phone=True)


async def _run(axe: str) -> Auditor:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        async with open_chromium() as chromium, open_user(chromium) as user:
            auditor = Auditor(user, axe)
            await _test_ordinary_use(user, auditor, Path(first))
            await _test_failures(user, auditor, Path(second))
    return auditor


def main() -> int:
    """Run the proof and print its result; return the exit code."""
    logging.getLogger("aiohttp.server").addFilter(_is_unexpected)
    try:
        provide_chromium()
        auditor = asyncio.run(_run(provide_axe()))
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("  The page works by keyboard alone, without an error in the console.\n")
    sys.stdout.write(
        "  axe-core finds nothing, on phone and desktop, in light and dark, in: "
        f"{', '.join(auditor.audited)}.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
