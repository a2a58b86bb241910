"""Tests the page in a real browser, by keyboard alone, and checks its accessibility with axe-core.

`make proof-web` runs it and installs its tools: Playwright into .venv-browser, axe-core into
.venv-proofs, and Debian's Chromium if it can. It also takes the screenshots docs/page-*.png.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.proofs.web import (
    caption_steps,
    concurrent_steps,
    elsewhere_steps,
    failure_steps,
    order_steps,
    owner_steps,
    upload_steps,
)
from tests.proofs.web.audit import Auditor
from tests.proofs.web.order_steps import SIZE, check, open_bot
from tests.support.browser.chromium import open_chromium
from tests.support.browser.keyboard_user import open_user
from tests.support.browser.tools import MissingError, provide_axe, provide_chromium
from tests.support.media import clips
from tests.support.providers.speech_api import SpeechApi

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tests.support.browser.keyboard_user import KeyboardUser

    Step = tuple[str, Callable[[], Coroutine[Any, Any, None]]]

_DOCS = Path(__file__).parents[3] / "docs"


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
            ("signs in", lambda: order_steps.sign_in(user)),
            ("finds faults with axe-core", auditor.check_itself),
            ("generates with a narration", lambda: order_steps.generate(user, auditor)),
            ("plays the video", lambda: order_steps.watch(user, auditor)),
            ("has no captions of a recording", lambda: caption_steps.leave_uncaptioned(auditor)),
            ("is in the screenshots", lambda: _take_screenshots(auditor)),
            ("downloads it", lambda: order_steps.download(user, url)),
            ("shares it, and withdraws the link", lambda: order_steps.share(user, auditor, url)),
            ("cancels another", lambda: order_steps.cancel(user)),
            (
                "shows how far an upload is",
                lambda: upload_steps.follow_upload(user, auditor, folder),
            ),
            ("has a text spoken", lambda: order_steps.speak(user, auditor, voice)),
            (
                "shows a spoken text as captions",
                lambda: caption_steps.watch_captions(user, auditor, voice, url, folder),
            ),
            ("continues without a WebSocket", lambda: order_steps.follow_without_socket(user, url)),
            (
                "hears of orders in another tab",
                lambda: elsewhere_steps.order_in_another_tab(user, url),
            ),
            ("tells when the bot is lost", lambda: elsewhere_steps.lose_the_bot(user, auditor)),
            ("deletes a video", lambda: elsewhere_steps.delete(user, auditor, url)),
            ("has a name for every control", lambda: order_steps.check_names(user)),
            ("signs out", lambda: order_steps.sign_out(user, url)),
            ("signs out everywhere", lambda: upload_steps.sign_out_everywhere(user, url)),
        ]
        await _run_steps(user, steps)


async def _test_failures(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
    async with failure_steps.open_troubled_bot(folder) as (url, api, voice):
        steps: list[Step] = [
            ("refuses a wrong token", lambda: failure_steps.sign_in_wrongly(user, auditor, url)),
            ("asks for a script", lambda: failure_steps.order_nothing(user, auditor, voice)),
            (
                "keeps the focus when it refuses",
                lambda: failure_steps.be_refused(user, auditor, voice),
            ),
            (
                "says what is wrong with a file",
                lambda: failure_steps.choose_bad_files(user, auditor, folder),
            ),
            ("says why a video failed", lambda: failure_steps.fail(user, auditor, api)),
            (
                "asks about an unconfirmed create",
                lambda: failure_steps.retry(user, auditor, api, url),
            ),
            ("abandons another", lambda: failure_steps.give_up(user, api)),
            (
                "orders what the locked form shows",
                lambda: concurrent_steps.edit_while_locked(user, auditor, voice),
            ),
            (
                "orders nothing for the next client",
                lambda: concurrent_steps.switch_clients(user, voice, url),
            ),
            (
                "says why a video waits",
                lambda: failure_steps.wait_for_provider(user, auditor, api),
            ),
        ]
        await _run_steps(user, steps)
        # The page would look for the bot after its end.
        await user.page.goto("about:blank")


async def _test_owner_page(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
    async with owner_steps.open_spending_bot(folder) as url:
        steps: list[Step] = [
            ("signs the owner in", lambda: owner_steps.sign_in(user, auditor, url)),
            (
                "shows the owner the spending",
                lambda: owner_steps.see_spending(user, auditor, url, folder),
            ),
            ("signs the owner out", lambda: owner_steps.sign_out(user, url)),
        ]
        await _run_steps(user, steps)


async def _take_screenshots(auditor: Auditor) -> None:
    await auditor.screenshot(_DOCS / "page-light.png")
    await auditor.screenshot(_DOCS / "page-dark.png", dark=True)
    await auditor.screenshot(_DOCS / "page-phone.png", phone=True)


async def _run(axe: str) -> Auditor:
    tests = (_test_ordinary_use, _test_failures, _test_owner_page)
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in tests]
        async with open_chromium() as chromium, open_user(chromium) as user:
            auditor = Auditor(user, axe)
            for test, folder in zip(tests, folders, strict=True):
                await test(user, auditor, folder)
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
