"""Draws docs/page.png: screenshots of the page in a browser, with videos from the real bot.

`make picture` runs it. It needs Chromium.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from tests.proofs.web.order_steps import VOICE, open_bot, sign_in
from tests.support.browser.chromium import open_chromium
from tests.support.browser.keyboard_user import KeyboardUser, open_user
from tests.support.browser.tools import MissingError

_FOLDER = Path(__file__).parent
_FINISHED_SCRIPTS = (
    "Waves roll onto a black beach, one for each breath",
    "How rainbows form: sunlight meets a raindrop, bends on its way in, and is seven colours",
)
_UNFINISHED_SCRIPT = "A paper boat sails down a rainy street, past a cat that looks on"
_DESKTOP, _PHONE = (1180, 1180), (390, 980)
_GAP, _WIDTH = 32, 1080
_BACKGROUND = "#8d8da6"
_CORNER_RADIUS = 22


def main() -> int:
    """Draw the page and save the picture beside this file."""
    with tempfile.TemporaryDirectory() as name:
        try:
            asyncio.run(_take_screenshots(Path(name)))
        except MissingError as error:
            print(error, file=sys.stderr)
            return 2
        _compose(Path(name), _FOLDER / "page.png")
    return 0


async def _take_screenshots(folder: Path) -> None:
    async with (
        open_chromium() as chromium,
        open_user(chromium) as user,
        open_bot(folder, video_size="1280x720", video_seconds=8) as url,
    ):
        await user.look(_DESKTOP)
        await user.page.goto(url)
        await sign_in(user)
        for script in _FINISHED_SCRIPTS:
            await _request_video(user, script)
            await user.sees("#finished", within=120)
        await user.page.wait_for_function("() => video.readyState > 1")
        await user.page.evaluate("video.currentTime = 3")
        await user.page.wait_for_function("() => !video.seeking && video.readyState === 4")
        await asyncio.sleep(1)  # until the loading spinner has disappeared
        await _save_screenshot(user, folder / "desktop.png")
        await _request_video(user, _UNFINISHED_SCRIPT)
        await user.look(_PHONE, dark=True)
        await user.page.wait_for_function(
            "() => bar.getAttribute('aria-valuenow') > 30", timeout=120_000
        )
        await _save_screenshot(user, folder / "phone.png")


async def _request_video(user: KeyboardUser, script: str) -> None:
    await user.write("#script", script)
    await user.page.set_input_files("#audio", VOICE)
    await user.sees("#file")
    await user.press("#generate")
    await user.sees("#under-way")


async def _save_screenshot(user: KeyboardUser, path: Path) -> None:
    await user.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    await asyncio.sleep(0.6)  # until the progress bar's transition has ended
    await user.page.screenshot(path=path, full_page=True)


def _compose(folder: Path, target: Path) -> None:
    with Image.open(folder / "desktop.png") as desktop, Image.open(folder / "phone.png") as phone:
        shots = [shot.convert("RGB") for shot in (desktop, phone)]
    width = sum(shot.width for shot in shots) + 3 * _GAP
    height = max(shot.height for shot in shots) + 2 * _GAP
    picture = Image.new("RGB", (width, height), _BACKGROUND)
    left = _GAP
    for shot in shots:
        mask = Image.new("L", shot.size)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *shot.size), _CORNER_RADIUS, fill=255)
        picture.paste(shot, (left, (height - shot.height) // 2), mask)
        left += shot.width + _GAP
    small = picture.resize((_WIDTH, round(height * _WIDTH / width)), Image.Resampling.LANCZOS)
    # `quantize` dithers only with a given palette, so it is called twice.
    palette = small.quantize(kmeans=1)
    small.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
