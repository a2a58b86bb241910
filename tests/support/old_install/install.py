"""An installation of an earlier version: its files in the folder `data`, and its sentences."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.delivery.views.card import CardRenderer, dm_marker
from bot.demo.fake_discord.state.components import text_of, walk
from bot.demo.fake_discord.uploads import Upload
from bot.links import Links
from bot.model import JobState, Origin
from bot.texts import Texts
from storage.jobs.queue_outlook import QueueOutlook
from tests.support.desk import open_desk
from tests.support.fakes.clock import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from discord import ui

    from bot.artifacts import Artifact
    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.server import FakeDiscord
    from bot.demo.fake_discord.state.message import Message
    from bot.model import Job
    from tests.support.desk import Desk

FOLDER = Path(__file__).parent / "data"
_COMPONENTS_V2 = 1 << 15
_CONTAINER, _TEXT, _ROW, _BUTTON = 17, 10, 1, 2
_JOB_ID = re.compile(r"[0-9a-f]{32}")
_HANDED_OVER = frozenset({JobState.NOTIFYING, JobState.SUCCEEDED})
_DONE = _HANDED_OVER | {JobState.DELIVERING}
_HELD_BYTES = 10 * 1024 * 1024


def given(name: str) -> Any:
    """Read the links, ids or sentences that the earlier version has produced."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def install(folder: Path, *, at: float) -> Path:
    """Put the old files into `folder`, last changed `at`, and return their DATA_DIR."""
    data = folder / "data"
    shutil.copytree(FOLDER / "files", data)
    script = (FOLDER / "clapper.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(data / "clapper.db")) as connection:
        connection.executescript(script)
    for path in data.rglob("*"):
        os.utime(path, (at, at))
    return data


def names_in(data: Path) -> list[str]:
    """List the files below DATA_DIR, except those of the database."""
    files = (path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file())
    return sorted(name for name in files if not name.startswith("clapper."))


@asynccontextmanager
async def open_old_desk(folder: Path, *, now: float) -> AsyncGenerator[Desk]:
    """Connect a bot that uses the old files, at a time when they were new."""
    install(folder, at=now)
    async with open_desk(folder, clock=Clock(now)) as desk:
        yield desk


def seen(tree: Sequence[Any]) -> dict[str, Any]:
    """Return a message's texts, and its buttons' labels with their ids or addresses.

    Non-breaking spaces are replaced with plain ones.
    """
    text = text_of({"content": "", "components": tree}).replace("\u00a0", " ")
    buttons = [part for part in walk(tree) if part["type"] == _BUTTON]
    named = [[part["label"], part.get("custom_id") or part.get("url")] for part in buttons]
    return {"text": text.split("\n"), "buttons": named}


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Draws everything that a requester ever sees of a job."""

    cards: CardRenderer
    queue_outlook: QueueOutlook
    links: Links

    @classmethod
    def at(cls, desk: Desk) -> Drawing:
        """Draw as the app does, with a storyboard that is free and a voice that isn't."""
        free = frozenset({"storyboard"})
        return cls(
            cards=CardRenderer(
                Texts.load(), free_backends=free, voice_costs=True, clock=desk.clock
            ),
            queue_outlook=QueueOutlook(desk.bench.database),
            links=Links(b"a key", public_url="https://x.example", lifetime=9.0, clock=desk.clock),
        )

    async def all(self, job: Job, artifact: Artifact | None) -> dict[str, Any]:
        """Draw the cards and DMs of a job, by what they are for."""
        cards, drawn = self.cards, dict[str, Any]()
        if job.state not in _HANDED_OVER:
            drawn["card"] = _shown(cards.render(job, await self.queue_outlook.of(job)))
        if artifact is not None:
            drawn |= self._finished(job, artifact)
        if job.state is JobState.FAILED:
            drawn["dm_failed"] = _said(cards.dm_failed(job))
        if job.state is JobState.UNDECIDED:
            drawn["dm_undecided"] = _said(cards.dm_undecided(job))
        return drawn | {"marker": dm_marker(job)}

    def _finished(self, job: Job, artifact: Artifact) -> dict[str, Any]:
        cards, at = self.cards, artifact.created_at
        url = self.links.make(job.id)
        video = cards.render_video(job, filename="clapper.mp4", ready_at=at, note="card.smaller")
        return {
            "video": _shown(video),
            "link": _without_links(_shown(cards.render_link(job, artifact, url=url))),
            "held": _shown(cards.render_held(job, artifact, limit=_HELD_BYTES)),
            "dm": _said(cards.dm(job, link="https://x.example")),
            "dm_here": _said(cards.dm_with_video(job)),
        }


async def draw_all(desk: Desk, job_ids: dict[str, str]) -> dict[str, Any]:
    """Draw people's jobs, by their names in the old files."""
    drawing, drawn = Drawing.at(desk), dict[str, Any]()
    for name, job_id in job_ids.items():
        job = await desk.bench.now(job_id)
        if isinstance(job.requester, Origin) and job.deleted_at is None:
            artifact = await desk.bench.artifacts.get(job_id)
            drawn[name] = await drawing.all(job, artifact if job.state in _DONE else None)
    return drawn


def post(fake_discord: FakeDiscord, card: dict[str, Any]) -> Message:
    """Post a card as the bot, with its texts and buttons as they were."""
    return fake_discord.messages.create(
        fake_discord.world.channel, fake_discord.world.bot, _body(card)
    )


async def press(
    desk: Desk, card: dict[str, Any], custom_id: str, *, edits: int = 1
) -> dict[str, Any]:
    """Press a button of an old message; return the answer, or the message after `edits` edits."""
    message = post(desk.fake_discord, card)
    pressed = await desk.fake_discord.click(message, custom_id)
    return await _outcome(desk, pressed, edits=edits)


async def fill_in(
    desk: Desk, card: dict[str, Any], custom_id: str, modal: dict[str, Any], audio: Path
) -> dict[str, Any]:
    """Send a form that was already open, and return the answer."""
    message = post(desk.fake_discord, card)
    pressed = await desk.fake_discord.click(message, custom_id)
    await desk.fake_discord.wait_for(lambda: pressed.modal)
    pressed.modal = modal
    fields = {
        part["custom_id"]: part["type"] for part in walk(modal["components"]) if _is_field(part)
    }
    values = {
        "prompt": "a prompt that is another",
        "audio": Upload(filename="voice.ogg", content=audio, content_type="audio/ogg"),
        "sure": True,
    }
    sent = await desk.fake_discord.submit(
        pressed, {name: value for name, value in values.items() if name in fields}
    )
    return await _outcome(desk, sent)


async def _outcome(desk: Desk, interaction: Interaction, *, edits: int = 1) -> dict[str, Any]:
    await desk.fake_discord.wait_for(lambda: interaction.answer is not None)
    if interaction.modal is not None and interaction.message is None:
        return {"form": interaction.modal}
    message = await desk.fake_discord.answer_to(interaction)
    if message is interaction.source:
        # The answer is the card itself, which was deleted, or shows another page.
        await desk.fake_discord.wait_for(lambda: message.deleted or len(message.versions) > edits)
    if message.deleted:
        return {"deleted": True}
    payload = message.payload
    told = {"said": payload["content"]} if payload["content"] else seen(payload["components"])
    return told | {"files": len(message.files)}


def nameless(outcome: dict[str, Any], known: Callable[[str], bool]) -> dict[str, Any]:
    """Replace random ids with a word."""
    text = _JOB_ID.sub(lambda m: m[0] if known(m[0]) else "(new)", json.dumps(outcome))
    return json.loads(text)


def _is_field(part: dict[str, Any]) -> bool:
    return "custom_id" in part


def _shown(view: ui.LayoutView) -> dict[str, Any]:
    return seen(view.to_components())


def _without_links(shown: dict[str, Any]) -> dict[str, Any]:
    named = [
        [label, name if name.startswith("clapper:") else ""] for label, name in shown["buttons"]
    ]
    return shown | {"buttons": named}


def _said(text: str) -> list[str]:
    return text.replace("\u00a0", " ").split("\n")


def _body(card: dict[str, Any]) -> dict[str, Any]:
    buttons = [
        {"type": _BUTTON, "style": 2, "label": label, "custom_id": name}
        for label, name in card["buttons"]
        if name.startswith("clapper:")
    ]
    text = {"type": _TEXT, "content": "\n".join(card["text"])}
    rows = [{"type": _ROW, "components": [button]} for button in buttons]
    container = {"type": _CONTAINER, "components": [text, *rows]}
    return {"flags": _COMPONENTS_V2, "components": [container]}
