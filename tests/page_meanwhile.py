"""What a person does while the page has a text spoken: the voice answers when it is told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from tests.page_way import SHOWN, TOKEN, VOICE, check, has_focus, sign_in
from tests.speech_api import SpeechApi

if TYPE_CHECKING:
    from aiohttp import web

    from tests.chromium import Browser
    from tests.page_audit import Auditor

OTHER_TOKEN = "a-token-of-somebody-else-there"
_HELD = "document.getElementById('compose').ariaBusy === 'true'"
_SCRIPT, _TEXT, _NEXT_TEXT = "A cat on a roof", "The cat looks on.", "The cat looks away."


class SlowVoice(SpeechApi):
    """Speaks while `may_answer` is set."""

    def __init__(self, sound: bytes) -> None:
        super().__init__(sound)
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        await self.may_answer.wait()
        return await super()._speak(request)


async def hold_still(browser: Browser, auditor: Auditor, voice: SlowVoice) -> None:
    """Change everything while Listen, then Generate is under way: what stood there is ordered."""
    await _write(browser, _SCRIPT, _TEXT)
    await _press(browser, voice, "listen")
    await has_focus(browser, "listen")
    await auditor.judge("a text that is being spoken")
    await _meddle(browser)
    voice.may_answer.set()
    await browser.until(SHOWN.format("audition"))
    await browser.until("document.activeElement.id === 'audition'")
    named = await browser.run("document.getElementById('file-name').textContent")
    check(named == "Your text, spoken", f"the file is {named!r}")
    await browser.tab_to_first("#sign-out")
    await browser.tab_to("file-remove")
    await browser.press("Enter")
    await has_focus(browser, "text")
    # What was spoken once is not asked for again.
    await browser.run("text.select()")
    await browser.type(_NEXT_TEXT)
    await _press(browser, voice, "generate")
    await has_focus(browser, "generate")
    await _meddle(browser)
    voice.may_answer.set()
    await browser.until(f"!({_HELD})")
    await has_focus(browser, "stage-title")
    shown = await browser.run("document.getElementById('stage-script').textContent")
    check(shown == _SCRIPT, f"what was ordered is {shown!r}")
    check(voice.creates == [_TEXT, _NEXT_TEXT], f"what was spoken is {voice.creates}")
    left = await browser.run("script.value + text.value")
    check(not left, f"{left!r} was left")
    await browser.tab_to("script")
    await browser.type("It can be written in again")
    check(await browser.run("script.value.length"), "nothing can be written any more")


async def change_hands(browser: Browser, voice: SlowVoice, url: str) -> None:
    """Sign out while Listen, then Generate is under way: the next one has nothing of it."""
    orders = await _orders(url, TOKEN)
    for pressed in ("listen", "generate"):
        await browser.run("script.value = text.value = ''")
        await _write(browser, "What nobody else may see", f"My own words, to {pressed}.")
        await _press(browser, voice, pressed)
        await browser.tab_to("sign-out")
        await browser.press("Enter")
        await browser.until(SHOWN.format("door"))
        left = await browser.run("document.body.textContent")
        check(_SCRIPT not in left, "the page still holds what was written")
        await sign_in(browser, OTHER_TOKEN)
        spoken = len(voice.creates)
        voice.may_answer.set()
        async with asyncio.timeout(30):
            while len(voice.creates) == spoken:  # noqa: ASYNC110 - the stand-in has no event
                await asyncio.sleep(0.05)
        other_words = f"Other words, after {pressed}."
        # Long enough for what was spoken to have come, if it did.
        await _write(browser, "", other_words)
        await _press(browser, voice, "listen")
        names = await browser.run("[file.hidden, script.value, text.value].join()")
        check(names == f"true,,{other_words}", f"the next one's form has {names}")
        voice.may_answer.set()
        await browser.until(SHOWN.format("audition"))
        check(not await _orders(url, OTHER_TOKEN), "it was ordered by the next one")
        await _leave(browser)
        await browser.tab_to("token")
        await browser.type(TOKEN)
        await browser.press("Enter")
        await browser.until(SHOWN.format("studio"))
    check(await _orders(url, TOKEN) == orders, "it was ordered after all")
    # What another tab does when somebody signs out there.
    await browser.run("dispatchEvent(new StorageEvent('storage', { key: 'signed-in' }))")
    await browser.until(SHOWN.format("door"))
    check(not await browser.run("document.querySelectorAll('.job').length"), "nothing is left")


async def _write(browser: Browser, script: str, text: str) -> None:
    await browser.tab_to("script")
    await browser.type(script)
    await browser.tab_to("text")
    await browser.type(text)


async def _press(browser: Browser, voice: SlowVoice, element_id: str) -> None:
    voice.may_answer.clear()
    await browser.tab_to(element_id)
    await browser.press("Enter")
    await browser.until(_HELD)


async def _meddle(browser: Browser) -> None:
    for element_id in ("script", "text"):
        await browser.run(f"{element_id}.focus(); {element_id}.select()")
        await browser.type("Something else")
    await browser.choose_file("audio", VOICE)
    hidden = await browser.run("document.getElementById('file').hidden")
    check(hidden, "another file took the place of what is spoken")
    for element_id in ("again", "listen", "generate"):
        await browser.run(f"{element_id}.focus()")
        await browser.press("Enter")


async def _leave(browser: Browser) -> None:
    await browser.tab_to("sign-out")
    await browser.press("Enter")
    await browser.until(SHOWN.format("door"))


async def _orders(url: str, token: str) -> list[str]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        http.get(f"{url}/api/jobs") as answer,
    ):
        return [job["jobId"] for job in (await answer.json())["jobs"]]
