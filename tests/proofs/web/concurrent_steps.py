"""Steps that a user takes while the page waits for a slow voice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from tests.proofs.web.order_steps import TOKEN, VOICE, check, sign_in
from tests.support.providers.speech_api import SpeechApi

if TYPE_CHECKING:
    from aiohttp import web

    from tests.proofs.web.audit import Auditor
    from tests.support.browser.keyboard_user import KeyboardUser

OTHER_TOKEN = "a-token-of-another-client"
_IS_LOCKED = "compose.ariaBusy === 'true'"
_SCRIPT, _TEXT, _NEXT_TEXT = "A cat on a roof", "The cat looks on.", "The cat looks away."


class SlowVoice(SpeechApi):
    """Answers only while `may_answer` is set; `asked` is set by each request."""

    def __init__(self, sound: bytes) -> None:
        super().__init__(sound)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self.asked.set()
        await self.may_answer.wait()
        return await super()._speak(request)


async def edit_while_locked(user: KeyboardUser, auditor: Auditor, voice: SlowVoice) -> None:
    """Try to edit the form while Listen, then Generate is running: the original form is ordered."""
    await _write(user, _SCRIPT, _TEXT)
    await _press(user, voice, "#listen")
    await user.is_at("#listen")
    await auditor.audit("a text that is being spoken")
    await _try_to_edit(user)
    voice.may_answer.set()
    await user.sees("#recording")
    await user.is_at("#recording")
    named = await user.page.text_content("#file-name")
    check(named == "Your text as audio", f"the file is {named!r}")
    await user.tab_to("#sign-out")
    await user.press("#file-remove")
    await user.is_at("#text")
    # The recording of the first text would not be requested again.
    await user.clear("#text")
    await user.write("#text", _NEXT_TEXT)
    await _press(user, voice, "#generate")
    await user.is_at("#generate")
    await _try_to_edit(user)
    voice.may_answer.set()
    await user.page.wait_for_function(f"() => !({_IS_LOCKED})")
    await user.is_at("#job-title")
    shown = await user.page.text_content("#job-script")
    check(shown == _SCRIPT, f"what was ordered is {shown!r}")
    check(voice.creates == [_TEXT, _NEXT_TEXT], f"what was spoken is {voice.creates}")
    left = await user.page.evaluate("script.value + text.value")
    check(not left, f"{left!r} was left")
    await user.write("#script", "It can be edited again")
    check(await user.page.input_value("#script"), "the form can't be edited any more")


async def switch_clients(user: KeyboardUser, voice: SlowVoice, url: str) -> None:
    """Sign out while Listen, then Generate is running: the next client sees nothing of it."""
    orders = await _orders(url, TOKEN)
    for pressed in ("listen", "generate"):
        await user.clear("#script")
        await user.clear("#text")
        await _write(user, "Words for one client alone", f"My own words, to {pressed}.")
        await _press(user, voice, f"#{pressed}")
        await _sign_out(user)
        left = await user.page.text_content("body")
        check(_SCRIPT not in left, "the page still holds what was written")
        await sign_in(user, OTHER_TOKEN)
        spoken = len(voice.creates)
        voice.may_answer.set()
        async with asyncio.timeout(30):
            while len(voice.creates) == spoken:  # noqa: ASYNC110 - the stand-in has no event
                await asyncio.sleep(0.05)
        other_words = f"Other words, after {pressed}."
        # By the end of this, a late recording would have arrived.
        await _write(user, "", other_words)
        await _press(user, voice, "#listen")
        form = await user.page.evaluate("[file.hidden, script.value, text.value]")
        check(form == [True, "", other_words], f"the next client's form has {form}")
        voice.may_answer.set()
        await user.sees("#recording")
        check(not await _orders(url, OTHER_TOKEN), "it was ordered by the next client")
        await _sign_out(user)
        await user.write("#token", TOKEN)
        await user.page.keyboard.press("Enter")
        await user.sees("#app")
    check(await _orders(url, TOKEN) == orders, "it was ordered after all")
    # This event is sent when another tab signs out.
    await user.page.evaluate("dispatchEvent(new StorageEvent('storage', { key: 'signed-in' }))")
    await user.sees("#login")
    check(not await user.page.locator(".job").count(), "a video is left")


async def _write(user: KeyboardUser, script: str, text: str) -> None:
    await user.write("#script", script)
    await user.write("#text", text)


async def _press(user: KeyboardUser, voice: SlowVoice, selector: str) -> None:
    voice.may_answer.clear()
    voice.asked.clear()
    await user.press(selector)
    await user.page.wait_for_function(f"() => {_IS_LOCKED}")
    async with asyncio.timeout(30):
        await voice.asked.wait()


async def _try_to_edit(user: KeyboardUser) -> None:
    for field in ("script", "text"):
        await user.page.evaluate(f"{field}.focus(); {field}.select()")
        await user.page.keyboard.type("Something else")
    await user.page.set_input_files("#audio", VOICE)
    hidden = await user.page.is_hidden("#file")
    check(hidden, "another file replaced the recording")
    for button in ("again", "listen", "generate"):
        await user.page.evaluate(f"{button}.focus()")
        await user.page.keyboard.press("Enter")


async def _sign_out(user: KeyboardUser) -> None:
    await user.press("#sign-out")
    await user.sees("#login")


async def _orders(url: str, token: str) -> list[str]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        http.get(f"{url}/api/jobs") as answer,
    ):
        return [job["jobId"] for job in (await answer.json())["jobs"]]
