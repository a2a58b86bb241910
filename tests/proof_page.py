"""Proves the page in a real browser: signed in, generated, watched and shared by keyboard alone.

`make proof-page` runs it; it needs a Chromium on the machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot import app
from bot.commands import demo
from bot.core import STORYBOARD
from bot.sandbox.sandbox import Sandbox
from bot.settings import load_settings
from tests.chromium import Browser, MissingError, open_browser
from tests.wire import FAST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from typing import Any

TOKEN = "a-token-of-the-proof-of-the-page"
SCRIPT = "How rainbows form: sunlight meets a raindrop, and comes out as seven colours"
VOICE = Path(demo.__file__).parent / "narration.ogg"
SIZE = (640, 360)
MOST_SECONDS = 120.0
PHONE, DESKTOP = (390, 844), (1280, 900)
SHOWN = "!document.getElementById({!r}).hidden"


@asynccontextmanager
async def open_bot(folder: Path, *, size: str, seconds: int) -> AsyncGenerator[str]:
    """Run the bot with its page, and a Discord of its own; yield the page's address."""
    (folder / "discord").mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with Sandbox(folder / "discord") as sandbox:
        settings = load_settings(
            discord_token=sandbox.token,
            discord_api_url=sandbox.url,
            data_dir=folder / "data",
            http_host="127.0.0.1",
            http_port=port,
            public_url=url,
            api_token=f"studio:{TOKEN}",
            video_backend=STORYBOARD,
            video_seconds=seconds,
            video_size=size,
        )
        stop = asyncio.Event()
        bot = asyncio.create_task(app.run(settings, timing=FAST, stop=stop), name="bot")
        try:
            await sandbox.wait_for_bot(within=60)
            yield url
        finally:
            stop.set()
            await bot


async def sign_in(browser: Browser) -> None:
    """Sign in, by keyboard."""
    await browser.until(SHOWN.format("door"))
    await browser.tab_to("token")
    await browser.type(TOKEN)
    await browser.press("Enter")
    await browser.until(SHOWN.format("studio"))
    await browser.until(SHOWN.format("nothing"))


async def generate(browser: Browser) -> None:
    """Write a script, choose a narration, and wait for the video."""
    await browser.tab_to("script")
    await browser.type(SCRIPT)
    await browser.tab_to("audio")
    await browser.choose_file("audio", VOICE)
    await browser.until(SHOWN.format("file"))
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    await browser.until("document.activeElement.id === 'stage-title'")
    await browser.until(
        "document.getElementById('bar').getAttribute('aria-valuenow') > 0", seconds=MOST_SECONDS
    )
    await browser.until(SHOWN.format("finished"), seconds=MOST_SECONDS)
    await browser.until("document.getElementById('announce').textContent.includes('ready')")


async def watch(browser: Browser) -> None:
    """Press Preview; the video really plays, in its size."""
    await browser.tab_to("preview")
    await browser.press("Enter")
    await browser.until("document.getElementById('video').currentTime > 0.5")
    shown = await browser.run("[video.videoWidth, video.videoHeight].join('x')")
    check(shown == "x".join(map(str, SIZE)), f"the video is {shown}")
    await browser.run("video.pause()")


async def share(browser: Browser, url: str) -> None:
    """Share the video, look at its page without scripts, and end the link."""
    await browser.tab_to("share")
    await browser.press("Enter")
    await browser.until(SHOWN.format("shared"))
    link = await browser.run("document.getElementById('link').value")
    check(link.startswith(f"{url}/v/"), "the link leads to the page of the video")
    await browser.do("Emulation.setScriptExecutionDisabled", value=True)
    await browser.go(link)
    await browser.until("document.querySelector('video').readyState > 0")
    await browser.do("Emulation.setScriptExecutionDisabled", value=False)
    await browser.go(url)
    await browser.until("document.querySelectorAll('.job').length === 1")
    await browser.run("document.querySelector('.open').focus()")
    await browser.press("Enter")
    await browser.tab_to("share")
    await browser.press("Enter")
    await browser.until(SHOWN.format("shared"))
    await browser.tab_to("withdraw")
    await browser.press("Enter")
    await browser.until("document.getElementById('shared').hidden")
    status = await browser.run(f"fetch({link!r}).then((answer) => answer.status)")
    check(status == 404, f"a link that was ended answers {status}")
    # That answer is the only thing that the console may tell of.
    browser.complaints = [said for said in browser.complaints if link not in said]


async def cancel(browser: Browser) -> None:
    """Begin another, and cancel it."""
    await browser.tab_to("script")
    await browser.type("Waves roll onto a black beach")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    await browser.tab_to("stage-cancel")
    await browser.press("Enter")
    await browser.until(SHOWN.format("ended"))


async def follow_without_socket(browser: Browser, url: str) -> None:
    """Where no socket can be opened, the page asks; a page that is loaded anew goes on."""
    script = "window.WebSocket = class { static OPEN = 1; close() {} }"
    added = await browser.do("Page.addScriptToEvaluateOnNewDocument", source=script)
    await browser.go(url)
    await browser.until(SHOWN.format("studio"))
    await browser.tab_to("script")
    await browser.type("<b>A paper boat</b> sails down a rainy street")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    await browser.go(url)
    await browser.until(SHOWN.format("under-way"))
    await browser.until(SHOWN.format("finished"), seconds=MOST_SECONDS)
    shown = await browser.run("document.getElementById('stage-script').textContent")
    check(shown.startswith("<b>"), f"the script reads {shown}")
    await browser.do("Page.removeScriptToEvaluateOnNewDocument", **added)


async def fit(browser: Browser) -> None:
    """Nothing of the page sticks out, in any size and light."""
    for width, height in (PHONE, DESKTOP):
        for dark in (False, True):
            await browser.look(width=width, height=height, dark=dark)
            wide = await browser.run("document.documentElement.scrollWidth")
            check(wide <= width, f"{wide} pixels on a screen of {width}")


async def read_out(browser: Browser) -> None:
    """Listen to the page: everything that takes the focus has a name."""
    tree = await browser.do("Accessibility.getFullAXTree")
    controls = {
        node["nodeId"]: node.get("name", {}).get("value", "")
        for node in tree["nodes"]
        if not node["ignored"]
        and any(p["name"] == "focusable" and p["value"]["value"] for p in node["properties"])
    }
    check("Generate" in controls.values(), "there are controls")
    check(all(controls.values()), f"one has no name beside {sorted(controls.values())}")


async def sign_out(browser: Browser, url: str) -> None:
    """Sign out; the session is over."""
    await browser.tab_to("sign-out")
    await browser.press("Enter")
    await browser.until(SHOWN.format("door"))
    await browser.go(url)
    await browser.until(SHOWN.format("door"))
    check(not await browser.run("document.querySelectorAll('.job').length"), "nothing is left")


def check(holds: object, what: str) -> None:
    """Raise an AssertionError that says what is wrong."""
    if not holds:
        raise AssertionError(what)


async def prove(url: str, browser: Browser) -> None:
    """Go the whole way."""
    width, height = DESKTOP
    await browser.look(width=width, height=height)
    await browser.go(url)
    steps: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = [
        ("signs in", lambda: sign_in(browser)),
        ("generates with a narration", lambda: generate(browser)),
        ("plays the video", lambda: watch(browser)),
        ("shares it, and ends the link", lambda: share(browser, url)),
        ("cancels another", lambda: cancel(browser)),
        ("goes on without a socket", lambda: follow_without_socket(browser, url)),
        ("fits phone and desktop, light and dark", lambda: fit(browser)),
        ("has a name for every control", lambda: read_out(browser)),
        ("signs out", lambda: sign_out(browser, url)),
    ]
    for name, step in steps:
        await step()
        check(not browser.complaints, f"{name}: the console says {browser.complaints}")
        sys.stdout.write(f"  ok  {name}\n")
        sys.stdout.flush()


async def run() -> None:
    """Open bot and browser, and prove it."""
    with tempfile.TemporaryDirectory() as name:
        async with (
            open_browser() as browser,
            open_bot(Path(name), size="x".join(map(str, SIZE)), seconds=2) as url,
        ):
            await prove(url, browser)


def main() -> int:
    """Say what holds, and what does not."""
    try:
        asyncio.run(run())
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("  The page works by keyboard alone, without an error in the console.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
