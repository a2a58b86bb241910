"""The steps of ordinary use of the page in a real browser, by keyboard alone."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from playwright.async_api import expect

from bot import app
from bot.demo import command
from bot.demo.fake_discord.server import FakeDiscord
from bot.runtime.adapters import STORYBOARD
from bot.settings.fields import load_settings
from tests.support.wire import FAST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Any

    from tests.proofs.web.audit import Auditor
    from tests.support.browser.keyboard_user import KeyboardUser
    from tests.support.providers.speech_api import SpeechApi

TOKEN = "a-token-of-the-proof-of-the-page"
SCRIPT = "How rainbows form: sunlight meets a raindrop, and comes out as seven colours"
VOICE = Path(command.__file__).parent / "narration.ogg"
SIZE = (640, 360)
MAX_SECONDS = 120.0
_NOTE_PROGRESS = """
window.seen = [];
new MutationObserver(() => {
  const now = bar.getAttribute("aria-valuenow");
  if (now) seen.push(Number(now));
}).observe(bar, { attributes: true, attributeFilter: ["aria-valuenow"] });
"""
_NO_SOCKET = "window.WebSocket = class { static OPEN = 1; close() {} }"


@asynccontextmanager
async def open_bot(folder: Path, **overrides: Any) -> AsyncGenerator[str]:
    """Run the bot with its page and a fake Discord, and yield the page's URL."""
    (folder / "discord").mkdir(parents=True)
    async with (
        FakeDiscord(folder / "discord") as fake_discord,
        open_bot_beside(fake_discord, folder, **overrides) as url,
    ):
        yield url


@asynccontextmanager
async def open_bot_beside(
    fake_discord: FakeDiscord, folder: Path, **overrides: Any
) -> AsyncGenerator[str]:
    """Run the bot with its page, and yield the page's URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
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


async def sign_in(user: KeyboardUser, token: str = TOKEN, *, has_jobs: bool = False) -> None:
    """Sign in as a client that has no videos yet, or some."""
    await user.sees("#login")
    await user.write("#token", token)
    await user.page.keyboard.press("Enter")
    await user.sees("#app")
    await user.sees("#sign-out-everywhere" if has_jobs else "#no-jobs")


async def generate(user: KeyboardUser, auditor: Auditor) -> None:
    """Write a script, choose a narration, and wait for the video; its progress never decreases."""
    await auditor.audit("the empty order form")
    await user.page.evaluate(_NOTE_PROGRESS)
    await user.write("#script", SCRIPT)
    await user.tab_to("#audio")
    await user.page.set_input_files("#audio", VOICE)
    await user.sees("#file")
    await auditor.audit("an order with a file")
    await user.press("#generate")
    await user.sees("#under-way")
    await user.is_at("#job-title")
    await user.sees("#finished", within=MAX_SECONDS)
    await user.reads("#announce", "ready")
    seen = await user.page.evaluate("seen")
    check(len(set(seen)) > 1 and seen == sorted(seen), f"the progress was {seen}")


async def watch(user: KeyboardUser, auditor: Auditor) -> None:
    """Press the space bar in the player: the video plays in its size, and with sound."""
    await user.tab_to("#video")
    await user.page.keyboard.press("Space")
    await user.page.wait_for_function("() => video.currentTime > 0.5")
    shown = await user.page.evaluate("[video.videoWidth, video.videoHeight].join('x')")
    check(shown == "x".join(map(str, SIZE)), f"the video is {shown}")
    check(await user.page.evaluate("video.webkitAudioDecodedByteCount"), "there is no sound")
    await user.page.evaluate("video.pause()")
    check("AI" in await user.page.inner_text("#made-with"), "nothing says how it was made")
    await auditor.audit("a finished video")


async def download(user: KeyboardUser, url: str) -> None:
    """Download the video: its bytes are those of the API, and its name is from the script."""
    async with user.page.expect_download() as waiting:
        await user.press("#download")
    file = await waiting.value
    job_id = await user.page.locator(".job").get_attribute("data-job")
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        http.get(f"{url}/api/download", params={"jobId": job_id}) as answer,
    ):
        sent = await answer.read()
    saved = await asyncio.to_thread((await file.path()).read_bytes)
    check(saved == sent, "the file differs from what the API sends")
    name = file.suggested_filename
    check(re.fullmatch(r"How-rainbows-form.*\.mp4", name), f"the file is called {name}")


async def share(user: KeyboardUser, auditor: Auditor, url: str) -> None:
    """Share the video, open its page without JavaScript, and withdraw the link."""
    await user.press("#share")
    await user.sees("#shared")
    await auditor.audit("a link to share")
    link = await user.page.input_value("#link")
    check(link.startswith(f"{url}/v/"), "the link leads to the page of the video")
    await _open_without_scripts(user, link)
    await user.page.goto(link)
    await auditor.audit("the page of a video")
    await user.page.goto(url)
    await expect(user.page.locator(".job")).to_have_count(1)
    await user.press(".open")
    await user.press("#share")
    await user.sees("#shared")
    await user.press("#withdraw")
    await expect(user.page.locator("#shared")).to_be_hidden()
    status = await user.page.evaluate("(link) => fetch(link).then(({ status }) => status)", link)
    check(status == 404, f"a withdrawn link answers {status}")
    await user.page.goto(link)
    await auditor.audit("a withdrawn link")
    user.console.expect_error(link)
    await user.page.goto(url)
    await user.sees("#app")


async def _open_without_scripts(user: KeyboardUser, link: str) -> None:
    browser = user.page.context.browser
    context = await browser.new_context(java_script_enabled=False)
    user.console.listen(context)
    page = await context.new_page()
    await page.goto(link)
    await page.wait_for_function("() => document.querySelector('video').readyState > 0")
    check("AI" in await page.inner_text("main"), "nothing says how the shared video was made")
    await context.close()


async def cancel(user: KeyboardUser) -> None:
    """Order another video, and cancel it."""
    await user.write("#script", "Waves roll onto a black beach")
    await user.press("#generate")
    await user.sees("#under-way")
    await user.press("#job-cancel")
    await user.sees("#ended")


async def speak(user: KeyboardUser, auditor: Auditor, voice: SpeechApi) -> None:
    """Write a text to speak, listen to it, and order a video with it as the narration."""
    await user.write("#script", "A lighthouse in a storm")
    await user.write("#text", "The sea rises.")
    await user.press("#listen")
    await user.sees("#file")
    await user.is_at("#recording")
    await user.page.wait_for_function("() => recording.currentTime > 0.3")
    heard = await user.page.evaluate("recording.webkitAudioDecodedByteCount > 0")
    check(heard, "the text was not heard")
    check(await user.page.is_hidden("#speak"), "the text can be spoken twice")
    await auditor.audit("a text that was spoken")
    await user.press("#generate")
    await user.sees("#under-way")
    await user.sees("#finished", within=MAX_SECONDS)
    check(voice.creates == ["The sea rises."], f"it was spoken as {voice.creates}")
    facts = await user.page.locator(".job .facts").first.text_content()
    check("with narration" in facts, f"the list says {facts}")
    # Without Listen, the text is spoken when the video is ordered.
    await user.write("#script", "A lighthouse in the sun")
    await user.write("#text", "The sea rests.")
    await user.press("#generate")
    await user.sees("#under-way")
    check(voice.creates[1:] == ["The sea rests."], f"it was spoken as {voice.creates}")
    await user.sees("#finished", within=MAX_SECONDS)


async def follow_without_socket(user: KeyboardUser, url: str) -> None:
    """Order while no WebSocket can be opened: the page polls, and continues after a reload."""
    async with await user.page.add_init_script(_NO_SOCKET):
        await user.page.goto(url)
        await user.sees("#app")
        await user.write("#script", "<b>A paper boat</b> sails down a rainy street")
        await user.press("#generate")
        await user.sees("#under-way")
        await user.page.goto(url)
        await user.sees("#under-way")
        await user.sees("#finished", within=MAX_SECONDS)
        shown = await user.page.text_content("#job-script")
        check(shown.startswith("<b>"), f"the script reads {shown}")


async def check_names(user: KeyboardUser) -> None:
    """Read the accessibility tree: every element that can have the focus has a name."""
    devtools = await user.page.context.new_cdp_session(user.page)
    tree = await devtools.send("Accessibility.getFullAXTree")
    await devtools.detach()
    controls = {
        node["nodeId"]: node.get("name", {}).get("value", "")
        for node in tree["nodes"]
        if not node["ignored"]
        and any(p["name"] == "focusable" and p["value"]["value"] for p in node["properties"])
    }
    check("Generate" in controls.values(), "there are controls")
    check(all(controls.values()), f"one has no name beside {sorted(controls.values())}")


async def sign_out(user: KeyboardUser, url: str) -> None:
    """Sign out; the session is deleted."""
    await user.press("#sign-out")
    await user.sees("#login")
    await user.page.goto(url)
    await user.sees("#login")
    check(not await user.page.locator(".job").count(), "a video is left")


def check(holds: object, what: str) -> None:
    """Raise an AssertionError with the message `what`, unless `holds`."""
    if not holds:
        raise AssertionError(what)
