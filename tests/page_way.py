"""The steps through the page in a real browser, by keyboard alone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from bot import app
from bot.demo import command
from bot.demo.fake_discord.server import FakeDiscord
from bot.runtime.adapters import STORYBOARD
from bot.settings.fields import load_settings
from tests.wire import FAST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Any

    from tests.chromium import Browser
    from tests.page_audit import Auditor
    from tests.speech_api import SpeechApi

TOKEN = "a-token-of-the-proof-of-the-page"
SCRIPT = "How rainbows form: sunlight meets a raindrop, and comes out as seven colours"
VOICE = Path(command.__file__).parent / "narration.ogg"
SIZE = (640, 360)
MOST_SECONDS = 120.0
SHOWN = "!document.getElementById({!r}).hidden"
_NOTE_PROGRESS = """
window.seen = [];
new MutationObserver(() => {
  const now = bar.getAttribute("aria-valuenow");
  if (now) seen.push(Number(now));
}).observe(bar, { attributes: true, attributeFilter: ["aria-valuenow"] });
"""


@asynccontextmanager
async def open_bot(folder: Path, **overrides: Any) -> AsyncGenerator[str]:
    """Run the bot with its page, and a Discord of its own; yield the page's address."""
    (folder / "discord").mkdir(parents=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with FakeDiscord(folder / "discord") as fake_discord:
        values: dict[str, Any] = {
            "discord_token": fake_discord.token,
            "discord_api_url": fake_discord.url,
            "data_dir": folder / "data",
            "http_host": "127.0.0.1",
            "http_port": port,
            "public_url": url,
            "api_token": f"studio:{TOKEN}",
            "video_backend": STORYBOARD,
        }
        settings = load_settings(**(values | overrides))
        stop = asyncio.Event()
        bot = asyncio.create_task(app.run(settings, timing=FAST, stop=stop), name="bot")
        try:
            await fake_discord.wait_for_bot(within=60)
            yield url
        finally:
            stop.set()
            await bot


async def sign_in(browser: Browser, token: str = TOKEN) -> None:
    """Sign in, by keyboard, as somebody who has no video yet."""
    await browser.until(SHOWN.format("door"))
    await browser.tab_to("token")
    await browser.type(token)
    await browser.press("Enter")
    await browser.until(SHOWN.format("studio"))
    await browser.until(SHOWN.format("nothing"))


async def generate(browser: Browser, auditor: Auditor) -> None:
    """Write a script, choose a narration, and wait for the video; its progress only grows."""
    await auditor.judge("the empty studio")
    await browser.run(_NOTE_PROGRESS)
    await browser.tab_to("script")
    await browser.type(SCRIPT)
    await browser.tab_to("audio")
    await browser.choose_file("audio", VOICE)
    await browser.until(SHOWN.format("file"))
    await auditor.judge("an order with a file")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    await browser.until("document.activeElement.id === 'stage-title'")
    await browser.until(SHOWN.format("finished"), seconds=MOST_SECONDS)
    await browser.until("document.getElementById('announce').textContent.includes('ready')")
    seen = await browser.run("seen")
    check(len(set(seen)) > 1 and seen == sorted(seen), f"the progress was {seen}")


async def watch(browser: Browser, auditor: Auditor) -> None:
    """Press Preview; the video really plays, in its size, and with its sound."""
    await browser.tab_to("preview")
    await browser.press("Enter")
    await browser.until("document.getElementById('video').currentTime > 0.5")
    shown = await browser.run("[video.videoWidth, video.videoHeight].join('x')")
    check(shown == "x".join(map(str, SIZE)), f"the video is {shown}")
    check(await browser.run("video.webkitAudioDecodedByteCount"), "there is no sound")
    await browser.run("video.pause()")
    await auditor.judge("a finished video")


async def download(browser: Browser, url: str, folder: Path) -> None:
    """Download the video: its bytes are those that the API sends, under a name that says what."""
    await browser.do("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    await browser.tab_to("download")
    await browser.press("Enter")
    async with asyncio.timeout(MOST_SECONDS):
        while not (found := list(folder.glob("*.mp4"))):  # noqa: ASYNC110, ASYNC240 - ours alone
            await asyncio.sleep(0.05)
    job_id = await browser.run("document.querySelector('.job').dataset.job")
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        http.get(f"{url}/api/download", params={"jobId": job_id}) as answer,
    ):
        sent = await answer.read()
    check(found[0].read_bytes() == sent, "the file has other bytes than the API sends")
    check(found[0].name.startswith("How-rainbows-form"), f"the file is called {found[0].name}")


async def share(browser: Browser, auditor: Auditor, url: str) -> None:
    """Share the video, look at its page without scripts, and end the link."""
    await browser.tab_to("share")
    await browser.press("Enter")
    await browser.until(SHOWN.format("shared"))
    await auditor.judge("a link to share")
    link = await browser.run("document.getElementById('link').value")
    check(link.startswith(f"{url}/v/"), "the link leads to the page of the video")
    await browser.do("Emulation.setScriptExecutionDisabled", value=True)
    await browser.go(link)
    await browser.until("document.querySelector('video').readyState > 0")
    await browser.do("Emulation.setScriptExecutionDisabled", value=False)
    await browser.go(link)
    await auditor.judge("the page of a video")
    await browser.go(url)
    await browser.until("document.querySelectorAll('.job').length === 1")
    await browser.tab_to_first(".open")
    await browser.press("Enter")
    await browser.tab_to("share")
    await browser.press("Enter")
    await browser.until(SHOWN.format("shared"))
    await browser.tab_to("withdraw")
    await browser.press("Enter")
    await browser.until("document.getElementById('shared').hidden")
    status = await browser.run(f"fetch({link!r}).then((answer) => answer.status)")
    check(status == 404, f"a link that was ended answers {status}")
    await browser.go(link)
    await auditor.judge("a link that was ended")
    browser.excuse(link)
    await browser.go(url)
    await browser.until(SHOWN.format("studio"))


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


async def speak(browser: Browser, auditor: Auditor, voice: SpeechApi) -> None:
    """Write what the voice should say, listen to it, and have it laid over a video."""
    await browser.tab_to("script")
    await browser.type("A lighthouse in a storm")
    await browser.tab_to("text")
    await browser.type("The sea rises.")
    await browser.tab_to("listen")
    await browser.press("Enter")
    await browser.until(SHOWN.format("file"))
    await browser.until("document.activeElement.id === 'audition'")
    await browser.until("document.getElementById('audition').currentTime > 0.3")
    heard = await browser.run("[audition.webkitAudioDecodedByteCount > 0, speak.hidden].join()")
    check(heard == "true,true", f"the text was not heard, or can be spoken twice: {heard}")
    await auditor.judge("a text that was spoken")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    await browser.until(SHOWN.format("finished"), seconds=MOST_SECONDS)
    check(voice.creates == ["The sea rises."], f"it was spoken as {voice.creates}")
    facts = await browser.run("document.querySelector('.job .facts').textContent")
    check("with narration" in facts, f"the list says {facts}")
    # Not listened to first, it is spoken when the video is ordered.
    await browser.tab_to("script")
    await browser.type("A lighthouse in the sun")
    await browser.tab_to("text")
    await browser.type("The sea rests.")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    check(voice.creates[1:] == ["The sea rests."], f"it was spoken as {voice.creates}")
    await browser.until(SHOWN.format("finished"), seconds=MOST_SECONDS)


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


async def has_focus(browser: Browser, element_id: str) -> None:
    """Raise an AssertionError if another element has the focus, or none."""
    focused = await browser.run("document.activeElement.id || document.activeElement.tagName")
    check(focused == element_id, f"{focused} has the focus, not {element_id}")


def check(holds: object, what: str) -> None:
    """Raise an AssertionError that says what is wrong."""
    if not holds:
        raise AssertionError(what)
