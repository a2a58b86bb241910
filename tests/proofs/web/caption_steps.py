"""The steps of watching a video whose narration was spoken from a text, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proofs.web.order_steps import MAX_SECONDS, check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proofs.web.audit import Auditor
    from tests.support.browser.keyboard_user import KeyboardUser
    from tests.support.providers.speech_api import SpeechApi

#: Each sentence begins a cue. The stand-in's sound has no pauses, so their times are shares of it.
SENTENCES = (
    'She said: "<b>No</b> & never -->".',
    "灯台が光る！",  # noqa: RUF001 - a mark of the Japanese script
    "שלום עולם, hello.",
    "🌊 👩‍👩‍👧‍👦 waves.",
)
_RULE = "video-caption"
_SHOWN = """() => {
  const player = document.querySelector("video");
  const [track] = player.textTracks;
  if (!track || track.mode !== "showing" || !track.cues?.length) return null;
  return [...track.cues].map((cue) => cue.getCueAsHTML().textContent);
}"""
_ELEMENTS = """() => {
  const [track] = document.querySelector("video").textTracks;
  return [...track.cues].reduce((all, cue) => all + cue.getCueAsHTML().childElementCount, 0);
}"""
_SEEK = """(number) => new Promise((done) => {
  const player = document.querySelector("video");
  const cue = player.textTracks[0].cues[number];
  player.addEventListener("seeked", () => requestAnimationFrame(() => done(null)), { once: true });
  player.currentTime = (cue.startTime + cue.endTime) / 2;
})"""


async def leave_uncaptioned(auditor: Auditor) -> None:
    """Check that axe-core asks for captions of a recording, whose words are unknown."""
    check(_RULE in await auditor.undecided(), "axe-core does not ask for captions")


async def watch_captions(
    user: KeyboardUser, auditor: Auditor, voice: SpeechApi, url: str, folder: Path
) -> None:
    """Order a text full of markup in four scripts: the page and the shared page show it as text."""
    await user.write("#script", "A lighthouse among the waves")
    await user.write("#text", " ".join(SENTENCES))
    await user.press("#generate")
    await user.sees("#under-way")
    await user.sees("#finished", within=MAX_SECONDS)
    check(voice.creates[-1] == " ".join(SENTENCES), f"it was spoken as {voice.creates[-1]}")
    await _see_captions(user, auditor, folder, "page")
    await auditor.audit("a video with captions")
    await user.press("#share")
    await user.sees("#shared")
    await user.page.goto(await user.page.input_value("#link"))
    await _see_captions(user, auditor, folder, "shared")
    await auditor.audit("the page of a video with captions")
    await user.page.goto(url)
    await user.sees("#app")


async def _see_captions(user: KeyboardUser, auditor: Auditor, folder: Path, name: str) -> None:
    await user.page.wait_for_function(f"() => ({_SHOWN})() !== null")
    shown = await user.page.evaluate(_SHOWN)
    check(shown == list(SENTENCES), f"the captions are {shown}")
    check(await user.page.evaluate(_ELEMENTS) == 0, "a caption has markup")
    for number in range(len(SENTENCES)):
        await user.page.evaluate(_SEEK, number)
        active = await user.page.evaluate(
            "document.querySelector('video').textTracks[0].activeCues[0].text"
        )
        check(active, "no caption is shown")
        await user.page.locator("video").screenshot(path=folder / f"captions-{name}-{number}.png")
    check(_RULE not in await auditor.undecided(), "axe-core is not sure of the captions")
