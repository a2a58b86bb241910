"""What goes wrong on the page, and how it says so: by keyboard alone, the provider in hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.clips import make_clip, make_speech
from tests.page_meanwhile import OTHER_TOKEN, SlowVoice
from tests.page_way import SHOWN, TOKEN, check, has_focus, open_bot, sign_in
from tests.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.chromium import Browser
    from tests.page_audit import Auditor

_SCRIPT = "A lighthouse in a storm"
_MOST_MB = 1
_BLOCKED = "unspeakable"
_MOST_SECONDS = 30


@asynccontextmanager
async def open_troubled_bot(folder: Path) -> AsyncGenerator[tuple[str, VideosApi, SlowVoice]]:
    """Run the bot with its page before a provider and a voice that do what they are told."""
    clip = await asyncio.to_thread(make_clip, folder / "clip.mp4")
    sound = await asyncio.to_thread(make_speech, folder / "spoken.mp3", seconds=2)
    words = folder / "words.txt"
    words.write_text(_BLOCKED)
    async with (
        VideosApi(clip=clip) as api,
        SlowVoice(sound.read_bytes()) as voice,
        open_bot(
            folder / "bot",
            video_backend="openai",
            openai_base_url=api.base_url,
            prompt_writer="off",
            api_token=f"studio:{TOKEN},other:{OTHER_TOKEN}",
            blocked_words_file=str(words),
            narration_backend="openai",
            narration_base_url=voice.base_url,
            max_audio_mb=_MOST_MB,
        ) as url,
    ):
        yield url, api, voice


async def knock(browser: Browser, auditor: Auditor, url: str) -> None:
    """Sign in with a wrong token, then with the right one."""
    await browser.go(url)
    await browser.until(SHOWN.format("door"))
    await auditor.judge("the door")
    await browser.tab_to("token")
    await browser.type("a-token-that-is-of-nobody")
    await browser.tab_to("enter")
    await browser.press("Enter")
    await _says(browser, "door-error", "That token doesn't belong to this bot.")
    await has_focus(browser, "enter")
    browser.excuse("/api/session")
    await auditor.judge("a wrong token")
    await browser.run("token.value = ''; token.focus()")
    await sign_in(browser)


async def order_nothing(browser: Browser, auditor: Auditor, voice: SlowVoice) -> None:
    """Press Generate without a script: it is asked for, nothing is ordered, nor spoken."""
    await browser.tab_to("text")
    await browser.type("These words cost money.")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await _says(browser, "compose-error", "")
    await has_focus(browser, "script")
    check(not voice.calls, "it was spoken")
    check(not await browser.run("document.querySelectorAll('.job').length"), "it was ordered")
    await auditor.judge("an order without a script")


async def be_refused(browser: Browser, auditor: Auditor, voice: SlowVoice) -> None:
    """Have Listen refused, then Generate: it says why, all is as it was, and so is the focus."""
    voice.go_wrong("speech", Fault(status=400, body={}))
    await browser.tab_to("listen")
    await browser.press("Enter")
    await _says(browser, "compose-error", "voice")
    await has_focus(browser, "listen")
    browser.excuse("/api/narrate")
    await auditor.judge("a text that could not be spoken")
    await browser.run("text.select(); text.focus()")
    await browser.press("Delete")
    await browser.tab_to("script")
    await browser.type(f"{_SCRIPT}, {_BLOCKED}")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await _says(browser, "compose-error", "")
    await has_focus(browser, "generate")
    browser.excuse("/api/generate")
    written = await browser.run("script.value")
    check(written == f"{_SCRIPT}, {_BLOCKED}", f"the script reads {written!r}")
    await browser.run("script.select(); script.focus()")
    await browser.press("Delete")


async def bring_bad_files(browser: Browser, auditor: Auditor, folder: Path) -> None:
    """Choose a file that is too large, then one that is no sound."""
    large, bad = folder / "large.mp3", folder / "bad.mp3"
    large.write_bytes(bytes(_MOST_MB * 1024 * 1024 + 1))
    bad.write_text("This is a text, whatever its name says.")
    await browser.tab_to("script")
    await browser.type(_SCRIPT)
    await browser.tab_to("audio")
    await browser.choose_file("audio", large)
    await _says(browser, "compose-error", f"{_MOST_MB} MB")
    check(await browser.run("document.getElementById('file').hidden"), "it was taken")
    await browser.choose_file("audio", bad)
    await browser.until(SHOWN.format("file"))
    await browser.tab_to("generate")
    await browser.press("Enter")
    await _says(browser, "compose-error", "what was found is text")
    await has_focus(browser, "generate")
    browser.excuse("/api/generate")
    await auditor.judge("a file that is no sound")
    await browser.tab_to("file-remove")
    await browser.press("Enter")
    await browser.until(SHOWN.format("drop"))


async def fail(browser: Browser, auditor: Auditor, api: VideosApi) -> None:
    """See a job fail that was under way: the page says why, and gives the script back."""
    before = len(api.creates)
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    async with asyncio.timeout(30):
        while len(api.creates) == before:  # noqa: ASYNC110 - the stand-in has no event
            await asyncio.sleep(0.05)
    api.progress(api.creates[-1], 42)
    await browser.until("document.getElementById('bar').getAttribute('aria-valuenow') === '42'")
    await auditor.judge("a video under way")
    api.fail(api.creates[-1], "moderation_blocked", "Your request was blocked.")
    await browser.until(SHOWN.format("ended"))
    await _says(browser, "why", "Content policy violation")
    await auditor.judge("a video that failed")
    await browser.tab_to("again")
    await browser.press("Enter")
    written = await browser.run("document.getElementById('script').value")
    check(written == _SCRIPT, f"the script reads {written!r}")
    await browser.run("script.select(); script.focus()")
    await browser.press("Delete")


async def wait_in_line(browser: Browser, auditor: Auditor, api: VideosApi) -> None:
    """Order while the provider refuses the bot's key: the page says why it waits."""
    await sign_in(browser, OTHER_TOKEN)
    refused = Fault(status=401, body={"error": {"message": "Incorrect API key provided"}})
    api.go_wrong("create", *[refused] * 9)
    await browser.tab_to("script")
    await browser.type(_SCRIPT)
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("waiting"), seconds=_MOST_SECONDS)
    await _says(browser, "waiting", "does not accept this bot's key")
    await _says(browser, "announce", "Waiting for the video service")
    await auditor.judge("a video that waits for the provider")
    await browser.tab_to("stage-cancel")
    await browser.press("Enter")
    await browser.until(SHOWN.format("ended"))


async def ask(browser: Browser, auditor: Auditor, api: VideosApi, url: str) -> None:
    """Lose the answer to a create: the page asks, and Try again makes a second, and the video."""
    before = len(api.creates)
    await _be_in_doubt(browser, api)
    await _says(browser, "question", "may be charged twice")
    bar = await browser.run("document.getElementById('under-way').hidden")
    check(bar, "a bar moves while nothing does")
    said = await browser.run("document.getElementById('announce').textContent")
    check("may be charged twice" in said, f"what is announced is {said!r}")
    facts = await browser.run("document.querySelector('.job .facts').textContent")
    check("your decision" in facts, f"the list says {facts!r}")
    await auditor.judge("a video that needs a decision")
    await browser.go(url)
    await browser.until(SHOWN.format("undecided"))
    check(len(api.creates) == before + 1, "it was sent again unasked")
    await browser.tab_to("retry")
    await browser.press("Enter")
    await browser.until(SHOWN.format("under-way"))
    await has_focus(browser, "stage-title")
    check(await browser.run("document.getElementById('undecided').hidden"), "it still asks")
    async with asyncio.timeout(_MOST_SECONDS):
        while len(api.creates) == before + 1:  # noqa: ASYNC110 - the stand-in has no event
            await asyncio.sleep(0.05)
    api.finish(api.creates[-1])
    await browser.until(SHOWN.format("finished"))
    check(len(api.creates) == before + 2, f"it was ordered {len(api.creates) - before} times")


async def give_up(browser: Browser, api: VideosApi) -> None:
    """Lose the answer to another create, and give it up."""
    before = len(api.creates)
    await _be_in_doubt(browser, api)
    await browser.tab_to("give-up")
    await browser.press("Enter")
    await browser.until(SHOWN.format("ended"))
    await has_focus(browser, "stage-title")
    check(len(api.creates) == before + 1, "it was sent again")


async def _be_in_doubt(browser: Browser, api: VideosApi) -> None:
    api.go_wrong("create", Fault(after=True, reset=True))
    api.go_wrong("list", *[Fault(status=400, body={})] * 2)
    await browser.tab_to("script")
    await browser.type("A film that nobody knows of")
    await browser.tab_to("generate")
    await browser.press("Enter")
    await browser.until(SHOWN.format("undecided"))


async def _says(browser: Browser, element_id: str, text: str) -> None:
    await browser.until(SHOWN.format(element_id))
    said = await browser.run(f"document.getElementById({element_id!r}).textContent")
    check(said and text in said, f"#{element_id} says {said!r}")
