"""Opens, plays and seeks the results of `make proof-media` in Chromium.

`make proof-playback` runs it, and installs Playwright into .venv-browser.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.browser.chromium import open_chromium
from tests.support.browser.tools import MissingError, provide_chromium

if TYPE_CHECKING:
    from playwright.async_api import Page

_RESULTS = Path(__file__).parents[2] / ".venv-proofs" / "media"
_LEAST = 40
_PAGE = "<!doctype html><video muted></video>"
_PLAY = """
async (name) => {
  const video = document.querySelector('video');
  const happens = (event) => new Promise((resolve, reject) => {
    video.addEventListener(event, resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error.message)), { once: true });
    setTimeout(() => reject(new Error(`no ${event}`)), 15000);
  });
  const act = async (event, action) => {
    const awaited = happens(event);
    action();
    await awaited;
  };
  await act('loadeddata', () => { video.src = name; });
  for (const share of [0.7, 0.2, 0.95, 0]) {
    await act('seeked', () => { video.currentTime = share * video.duration; });
  }
  video.playbackRate = 8;
  await act('ended', () => video.play());
  if (!video.videoWidth) throw new Error('no picture');
  if (!video.webkitAudioDecodedByteCount) throw new Error('no sound');
  if (!video.webkitDecodedFrameCount) throw new Error('no frame');
}
"""


async def _play(page: Page, name: str) -> str:
    """Play one result, and return what is wrong with it, or nothing."""
    try:
        await page.evaluate(_PLAY, name)
    except Exception as error:  # noqa: BLE001 - a row of the report
        return str(error).splitlines()[0]
    return ""


async def _play_all() -> int:
    names = sorted(path.name for path in _RESULTS.glob("*.mp4"))
    (_RESULTS / "page.html").write_text(_PAGE, encoding="utf-8")
    bad = 0
    async with open_chromium() as browser:
        page = await browser.new_page()
        await page.goto((_RESULTS / "page.html").as_uri())
        for name in names:
            if fault := await _play(page, name):
                bad += 1
                sys.stdout.write(f"{name}: {fault}\n")
    sys.stdout.write(f"{len(names)} results played and seeked in Chromium, {bad} faults\n")
    if len(names) < _LEAST:
        sys.stdout.write("Too few results: run make proof-media first.\n")
    return min(1, bad + (len(names) < _LEAST))


def main() -> int:
    """Play everything; 1: something is wrong, 2: Chromium is missing."""
    try:
        provide_chromium()
    except MissingError as error:
        sys.stdout.write(f"{error}\n")
        return 2
    return asyncio.run(_play_all())


if __name__ == "__main__":
    sys.exit(main())
