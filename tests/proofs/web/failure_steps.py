"""Steps in which something fails on the page, by keyboard alone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.proofs.web.concurrent_steps import OTHER_TOKEN, SlowVoice
from tests.proofs.web.order_steps import TOKEN, check, open_bot, sign_in
from tests.support.media.clips import make_clip, make_speech
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.proofs.web.audit import Auditor
    from tests.support.browser.keyboard_user import KeyboardUser

_SCRIPT = "A lighthouse in a storm"
_MAX_MB = 1
_BLOCKED = "unspeakable"
_MAX_SECONDS = 30


@asynccontextmanager
async def open_troubled_bot(folder: Path) -> AsyncGenerator[tuple[str, VideosApi, SlowVoice]]:
    """Run the bot with its page, and a provider and a voice that fail on demand."""
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
            max_audio_mb=_MAX_MB,
        ) as url,
    ):
        yield url, api, voice


async def sign_in_wrongly(user: KeyboardUser, auditor: Auditor, url: str) -> None:
    """Sign in with a wrong token, then with the right one."""
    await user.page.goto(url)
    await user.sees("#login")
    await auditor.audit("the sign-in form")
    await user.write("#token", "a-token-of-no-client")
    await user.press("#enter")
    await user.reads("#login-error", "That token isn't valid for this bot.")
    await user.is_at("#enter")
    user.console.expect_error("/api/session")
    await auditor.audit("a wrong token")
    await user.clear("#token")
    await sign_in(user)


async def order_nothing(user: KeyboardUser, auditor: Auditor, voice: SlowVoice) -> None:
    """Press Generate without a script: the page asks for one, and neither orders nor speaks."""
    await user.write("#text", "These words cost money.")
    await user.press("#generate")
    await user.sees("#compose-error")
    await user.is_at("#script")
    check(not voice.calls, "it was spoken")
    check(not await user.page.locator(".job").count(), "it was ordered")
    await auditor.audit("an order without a script")


async def be_refused(user: KeyboardUser, auditor: Auditor, voice: SlowVoice) -> None:
    """Have Listen and Generate refused: the page explains why, and keeps fields and focus."""
    voice.add_faults("speech", Fault(status=400, body={}))
    await user.press("#listen")
    await user.reads("#compose-error", "voice")
    await user.is_at("#listen")
    user.console.expect_error("/api/narrate")
    await auditor.audit("a text that could not be spoken")
    await user.clear("#text")
    await user.write("#script", f"{_SCRIPT}, {_BLOCKED}")
    await user.press("#generate")
    await user.sees("#compose-error")
    await user.is_at("#generate")
    user.console.expect_error("/api/generate")
    written = await user.page.input_value("#script")
    check(written == f"{_SCRIPT}, {_BLOCKED}", f"the script reads {written!r}")
    await user.clear("#script")


async def choose_bad_files(user: KeyboardUser, auditor: Auditor, folder: Path) -> None:
    """Choose a file that is too large, then one that is not audio."""
    large, bad = folder / "large.mp3", folder / "bad.mp3"
    large.write_bytes(bytes(_MAX_MB * 1024 * 1024 + 1))
    bad.write_text("This is a text, in spite of its name.")
    await user.write("#script", _SCRIPT)
    await user.tab_to("#audio")
    await user.page.set_input_files("#audio", large)
    await user.reads("#compose-error", f"{_MAX_MB} MB")
    check(await user.page.is_hidden("#file"), "it was accepted")
    await user.page.set_input_files("#audio", bad)
    await user.sees("#file")
    await user.press("#generate")
    await user.reads("#compose-error", "detected: text")
    await user.is_at("#generate")
    user.console.expect_error("/api/generate")
    await auditor.audit("a file that is not audio")
    await user.press("#file-remove")
    await user.sees("#drop")


async def fail(user: KeyboardUser, auditor: Auditor, api: VideosApi) -> None:
    """Let a running job fail: the page shows the reason, and offers the script again."""
    before = len(api.creates)
    await user.press("#generate")
    await user.sees("#under-way")
    await _wait_for_create(api, before)
    api.progress(api.creates[-1], 42)
    await expect(user.page.locator("#bar")).to_have_attribute("aria-valuenow", "42")
    await auditor.audit("a video in progress")
    api.fail(api.creates[-1], "moderation_blocked", "Your request was blocked.")
    await user.sees("#ended")
    await user.reads("#failure", "Content policy violation")
    await auditor.audit("a video that failed")
    await user.press("#again")
    written = await user.page.input_value("#script")
    check(written == _SCRIPT, f"the script reads {written!r}")
    await user.clear("#script")


async def wait_for_provider(user: KeyboardUser, auditor: Auditor, api: VideosApi) -> None:
    """Order while the provider refuses the bot's key: the page explains the wait."""
    await sign_in(user, OTHER_TOKEN)
    refused = Fault(status=401, body={"error": {"message": "Incorrect API key provided"}})
    api.add_faults("create", *[refused] * 9)
    await user.write("#script", _SCRIPT)
    await user.press("#generate")
    await user.reads("#waiting", "is rejecting my API key")
    await user.reads("#announce", "Waiting for the video service")
    await auditor.audit("a video that waits for the provider")
    await user.press("#job-cancel")
    await user.sees("#ended")


async def retry(user: KeyboardUser, auditor: Auditor, api: VideosApi, url: str) -> None:
    """Lose the answer to a create: the page asks, and Try again submits a second one."""
    before = len(api.creates)
    await _lose_create_answer(user, api)
    await user.reads("#question", "may charge twice")
    check(
        await user.page.is_hidden("#under-way"), "the progress bar is visible while the page asks"
    )
    said = await user.page.text_content("#announce")
    check("may charge twice" in said, f"what is announced is {said!r}")
    facts = await user.page.locator(".job .facts").first.text_content()
    check("your decision" in facts, f"the list says {facts!r}")
    await auditor.audit("a video that needs a decision")
    await user.page.goto(url)
    await user.sees("#undecided")
    check(len(api.creates) == before + 1, "it was sent again unasked")
    await user.press("#retry")
    await user.sees("#under-way")
    await user.is_at("#job-title")
    check(await user.page.is_hidden("#undecided"), "it still asks")
    await _wait_for_create(api, before + 1)
    api.finish(api.creates[-1])
    await user.sees("#finished")
    check(len(api.creates) == before + 2, f"it was ordered {len(api.creates) - before} times")


async def give_up(user: KeyboardUser, api: VideosApi) -> None:
    """Lose the answer to another create, and press Give up."""
    before = len(api.creates)
    await _lose_create_answer(user, api)
    await user.press("#give-up")
    await user.sees("#ended")
    await user.is_at("#job-title")
    check(len(api.creates) == before + 1, "it was sent again")


async def _lose_create_answer(user: KeyboardUser, api: VideosApi) -> None:
    api.add_faults("create", Fault(after=True, reset=True))
    api.add_faults("list", *[Fault(status=400, body={})] * 2)
    await user.write("#script", "A film that no list has")
    await user.press("#generate")
    await user.sees("#undecided")


async def _wait_for_create(api: VideosApi, before: int) -> None:
    async with asyncio.timeout(_MAX_SECONDS):
        while len(api.creates) == before:  # noqa: ASYNC110 - the stand-in has no event
            await asyncio.sleep(0.05)
