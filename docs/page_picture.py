"""Draws docs/page.png: the page as a browser shows it, with videos that were really made.

`make picture` runs it; it needs a Chromium on the machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from tests.chromium import Browser, MissingError, open_browser
from tests.page_way import SHOWN, VOICE, open_bot, sign_in

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "Waves roll onto a black beach, one for each breath",
    "How rainbows form: sunlight meets a raindrop, bends on its way in, and is seven colours",
)
_NEXT = "A paper boat sails down a rainy street, past a cat that looks on"
_DESKTOP, _PHONE = (1180, 1180), (390, 980)
_GAP, _WIDTH = 32, 1080
_BACKGROUND = "#8d8da6"
_CORNER = 22


def main() -> int:
    """Draw the page and put the picture beside this file."""
    with tempfile.TemporaryDirectory() as name:
        try:
            asyncio.run(_photograph(Path(name)))
        except MissingError as error:
            print(error, file=sys.stderr)
            return 2
        _compose(Path(name), _FOLDER / "page.png")
    return 0


async def _photograph(folder: Path) -> None:
    async with (
        open_browser() as browser,
        open_bot(folder, video_size="1280x720", video_seconds=8) as url,
    ):
        width, height = _DESKTOP
        await browser.look(width=width, height=height)
        await browser.go(url)
        await sign_in(browser)
        for script in _SCRIPTS:
            await _order(browser, script)
            await browser.until(SHOWN.format("finished"), seconds=120)
        await browser.until("document.getElementById('video').readyState > 1")
        await browser.run("video.currentTime = 3")
        await browser.until("!video.seeking && video.readyState === 4")
        await asyncio.sleep(1)  # until the player has stopped to turn its wheel
        await browser.run("document.activeElement.blur(); scrollTo(0, 0)")
        await browser.photograph(folder / "desktop.png")
        await _order(browser, _NEXT)
        width, height = _PHONE
        await browser.look(width=width, height=height, dark=True)
        await browser.until("bar.getAttribute('aria-valuenow') > 30", seconds=120)
        await browser.run("document.activeElement.blur(); scrollTo(0, 0)")
        await asyncio.sleep(0.6)  # until the bar has moved there
        await browser.photograph(folder / "phone.png")


async def _order(browser: Browser, script: str) -> None:
    await browser.run("document.getElementById('script').focus()")
    await browser.type(script)
    await browser.choose_file("audio", VOICE)
    await browser.until(SHOWN.format("file"))
    await browser.run("generate.click()")
    await browser.until(SHOWN.format("under-way"))


def _compose(folder: Path, target: Path) -> None:
    with Image.open(folder / "desktop.png") as desktop, Image.open(folder / "phone.png") as phone:
        shots = [shot.convert("RGB") for shot in (desktop, phone)]
    width = sum(shot.width for shot in shots) + 3 * _GAP
    height = max(shot.height for shot in shots) + 2 * _GAP
    picture = Image.new("RGB", (width, height), _BACKGROUND)
    left = _GAP
    for shot in shots:
        mask = Image.new("L", shot.size)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *shot.size), _CORNER, fill=255)
        picture.paste(shot, (left, (height - shot.height) // 2), mask)
        left += shot.width + _GAP
    small = picture.resize((_WIDTH, round(height * _WIDTH / width)), Image.Resampling.LANCZOS)
    small.save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
