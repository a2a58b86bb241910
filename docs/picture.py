"""Draws docs/card.png: the bot's own cards as they look in Discord.

`make picture` runs it. It needs Chromium.
"""

from __future__ import annotations

import asyncio
import html
import string
import sys
import tempfile
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

from PIL import Image

from bot.delivery.views.card import CardRenderer
from bot.jobs.admission import new_job
from bot.media.process.child import ProcessLimits
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.model import Attachment, Failure, Job, JobState, Origin, VideoRequest
from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.clip_store import ClipOrder
from bot.texts import Texts
from docs.discord_html import Clip, DiscordHtml
from storage.jobs.queue_outlook import Outlook
from tests.support.browser.chromium import open_chromium
from tests.support.browser.tools import MissingError

_FOLDER = Path(__file__).parent
_NOW = 1_795_467_600.0
_USERS = {1: ("ada", "#3ba55c"), 2: ("lin", "#eb459e"), 3: ("noor", "#faa61a")}
_VOICE = Attachment(url=None, filename="narration.ogg", size=1)
_CLIP = Clip(frame="frame.png", at=2.5, seconds=8)
_FILE = "clapper.mp4"
_LOGO = (
    '<svg viewBox="0 0 24 24" fill="#fff"><path d="M3 10h18v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"/>'
    '<path d="M2.6 7.2 19.9 2.6l.9 3.2L3.5 10.4z"/></svg>'
)
_SCALE = 1.4


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """A card in the picture, and the time shown above it."""

    job: Job
    time: str
    outlook: Outlook = field(default_factory=Outlook)


def _job(user_id: int, prompt: str, **changes: object) -> Job:
    origin = Origin(
        interaction_id=user_id,
        application_id=1,
        user_id=user_id,
        guild_id=1,
        channel_id=1,
        locale="en",
        token=None,
        token_until=0,
        upload_limit=0,
    )
    job = new_job(
        VideoRequest(prompt=prompt, model=None, seconds=8, size="1280x720"),
        origin,
        None,
        backend="openai",
        now=_NOW - 96,
        next_at=_NOW,
    )
    fixed = {"id": f"{user_id}4e7a90d1c52" + "0" * 20, "state": JobState.QUEUED}
    return replace(job, **(fixed | changes))


_QUEUED = _Scene(
    job=_job(3, "Why cats purr, told in one breath", attachment=_VOICE),
    time="21:03",
    outlook=Outlook(place=3, usual_seconds=98),
)
_CREATING = _Scene(
    job=_job(2, "A paper boat sails down a rainy street", state=JobState.GENERATING, progress=42),
    time="21:04",
    outlook=Outlook(usual_seconds=98),
)
_DONE = _Scene(
    job=_job(
        1,
        "Explain how rainbows form",
        state=JobState.SUCCEEDED,
        attachment=_VOICE,
        backend="storyboard",
    ),
    time="21:04",
)
_FAILED = _Scene(
    job=_job(
        3,
        "A well-known film, but with my face in it",
        state=JobState.FAILED,
        failure=Failure(key="failed.moderated"),
    ),
    time="21:05",
)
_SCENES = (_QUEUED, _CREATING, _DONE, _FAILED)
_THEMES = ("dark", "light")


def main() -> int:
    """Draw the cards and save the picture beside this file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            asyncio.run(_draw(folder))
        except MissingError as error:
            print(error, file=sys.stderr)
            return 2
        _save(folder / "page.png", _FOLDER / "card.png")
    return 0


async def _draw(folder: Path) -> None:
    await _draw_frame(_DONE.job, folder)
    (folder / "page.html").write_text(_page(), encoding="utf-8")
    await _take_screenshot(folder)


async def _draw_frame(job: Job, folder: Path) -> None:
    """Render the job's clip as the bot does, and save one frame of it."""
    ffmpeg = Ffmpeg(await find_ffmpeg(), slots=1)
    order = ClipOrder(
        prompt=job.request.prompt, model="-", seconds=_CLIP.seconds, size=job.request.size
    )
    clip = await ClipRenderer(ffmpeg).render(order, folder, lambda _: None)
    await ffmpeg.run(
        ["-ss", str(_CLIP.at), "-i", clip.name, "-frames:v", "1", _CLIP.frame],
        cwd=folder,
        limits=ProcessLimits(),
    )


def _page() -> str:
    style = string.Template((_FOLDER / "discord.css").read_text(encoding="utf-8")).substitute(
        font=files("manimgx_fonts") / "NotoSans[wght].ttf"
    )
    messages = "".join(map(_message, _SCENES))
    columns = "".join(f'<div class="column {theme}">{messages}</div>' for theme in _THEMES)
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style><main>{columns}</main>'


def _message(scene: _Scene) -> str:
    cards = CardRenderer(Texts.load(), free_backends=frozenset({"storyboard"}), clock=lambda: _NOW)
    if scene.job.state is JobState.SUCCEEDED:
        view = cards.render_video(scene.job, filename=_FILE)
    else:
        view = cards.render(scene.job, scene.outlook)
    names = {user_id: name for user_id, (name, _) in _USERS.items()}
    renderer = DiscordHtml(names=names, clips={_FILE: _CLIP})
    name, colour = _USERS[scene.job.origin.user_id]
    avatar = f'<span class="face" style="background: {colour}">{name[0].upper()}</span>'
    return (
        '<div class="message">'
        f'<div class="invoked">{avatar}<b>{html.escape(name)}</b> used <i>/video</i></div>'
        f'<div class="avatar">{_LOGO}</div><div><div class="who"><b>Clapper</b>'
        f'<span class="app">APP</span><time>Today at {scene.time}</time></div>'
        f"{renderer.render(view.to_components())}</div></div>"
    )


async def _take_screenshot(folder: Path) -> None:
    async with open_chromium() as chromium:
        page = await chromium.new_page(
            viewport={"width": 1180, "height": 1400}, device_scale_factor=_SCALE
        )
        await page.goto((folder / "page.html").as_uri())
        await page.screenshot(path=folder / "page.png", full_page=True, omit_background=True)


def _save(shot: Path, target: Path) -> None:
    with Image.open(shot) as picture:
        page = picture.crop(picture.getbbox()).convert("RGB")
    # A palette makes the file small enough for a README, and k-means keeps the colours of small
    # areas. `quantize` dithers only with a given palette, so it is called twice.
    palette = page.quantize(kmeans=1)
    page.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
