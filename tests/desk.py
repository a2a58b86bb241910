"""What stands between jobs and Discord, over real sockets to the stand-in, but without workers."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.client import Services, VideoBot, log_in
from bot.delivery.cards import Cards
from bot.delivery.deliver import DiscordDeliverer
from bot.delivery.direct import DirectMessages
from bot.delivery.ladder import Ladder
from bot.delivery.messages import Messages
from bot.delivery.notices import Notices
from bot.delivery.resend import Resender
from bot.delivery.shelf import Shelf
from bot.delivery.tokens import TokenRoute
from bot.delivery.turns import Patience, Turns
from bot.links import Links
from bot.media.ffmpeg import Ffmpeg
from bot.narrator import Narrator
from bot.presets import Presets
from bot.sandbox.sandbox import Sandbox
from bot.texts import Texts
from bot.videos import Artifact
from storage.limits import UploadLimits
from storage.outlook import Outlooks
from storage.speeches import SpeechCaps, SpeechStore
from tests import clips
from tests.fakes import Clock, open_bench

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.media.speech import Voice
    from bot.model import Job
    from bot.moderation.base import Moderator
    from bot.sandbox.interactions import Interaction
    from bot.sandbox.ledger import Recorded
    from bot.sandbox.messages import Message
    from tests.fakes import Bench

TOKEN_SECONDS = 900


@dataclass(kw_only=True)
class Desk:
    """A bot that is connected, and takes commands in; the clock stands still."""

    sandbox: Sandbox
    bench: Bench
    bot: VideoBot
    clock: Clock
    cards: Cards
    messages: Messages
    direct: DirectMessages
    public_url: str = ""
    handovers: list[str] = field(default_factory=list[str])

    def deliverer(self, *, public_url: str = "") -> DiscordDeliverer:
        bench = self.bench
        links = Links(b"key", public_url=public_url, lifetime=60.0, clock=self.clock)
        ladder = make_ladder(bench, self.clock, links)
        notices = Notices(
            direct=self.direct,
            cards=self.cards,
            jobs=bench.jobs,
            links=links,
            ladder=ladder,
            artifacts=bench.artifacts,
            people=bench.people,
            clock=self.clock,
        )
        return DiscordDeliverer(
            messages=self.messages,
            notices=notices,
            cards=self.cards,
            outlooks=Outlooks(bench.database),
            turns=Turns(Patience(usual=0.2, unanswered=0.2)),
            ladder=ladder,
            links=links,
            artifacts=bench.artifacts,
            note_handover=self.handovers.append,
            clock=self.clock,
        )

    async def video(self, prompt: str = "a cat on a roof") -> tuple[Job, Message]:
        """Type a command; return its job and its card."""
        interaction = await self.sandbox.slash("video", {"prompt": prompt})
        message = await self.sandbox.answer_to(interaction)
        await self.bench.until(lambda: self._acknowledged(message) is not None)
        job = self._acknowledged(message)
        assert job is not None
        return job, message

    def _acknowledged(self, message: Message) -> Job | None:
        jobs = (change.job for change in self.bench.changes)
        return next((job for job in jobs if job.origin.message_id == message.id), None)

    async def click(self, message: Message, label: str, **who: object) -> Message:
        """Press a button, and return what the person is told."""
        [custom_id] = [
            part["custom_id"]
            for part in message.components
            if part.get("label", "").startswith(label)
        ]
        pressed: Interaction = await self.sandbox.click(message, custom_id, **who)  # pyright: ignore[reportArgumentType] - user
        return await self.sandbox.answer_to(pressed)

    def forget_token(self) -> None:
        """Let so much time go by that only the bot itself may edit."""
        self.clock.advance(TOKEN_SECONDS)

    def artifact(self, job: Job, content: bytes = b"a video") -> Artifact:
        """Put a finished video in its place."""
        path = self.bench.workspace.video(job.id)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return Artifact(job_id=job.id, size=len(content), sha256="0" * 64, created_at=0)

    def made(self, operation: str) -> list[Recorded]:
        """Return the requests of a kind that came in."""
        return self.sandbox.ledger.operations(operation)


def make_ladder(bench: Bench, clock: Clock, links: Links) -> Ladder:
    """Return what finds a file that Discord takes."""
    return Ladder(
        limits=UploadLimits(bench.database),
        shrinker=bench.editor,
        workspace=bench.workspace,
        links=links,
        clock=clock,
    )


def make_resender(bench: Bench, clock: Clock, *, public_url: str = "") -> Resender:
    """Return what sends videos again, and does not pause between its tries."""
    links = Links(b"key", public_url=public_url, lifetime=60.0, clock=clock)
    return Resender(
        library=bench.library,
        shelf=Shelf(Texts.load()),
        ladder=make_ladder(bench, clock, links),
        links=links,
        pauses=(0, 0),
    )


def make_narrator(bench: Bench, clock: Clock, voice: Voice) -> Narrator:
    """Return what speaks texts: two for one person, and three in all."""
    return Narrator(
        voice,
        Ffmpeg(clips.binary(), slots=1),
        bench.workspace,
        SpeechStore(bench.database),
        caps=SpeechCaps(per_user=2, per_day=3),
        blocked=bench.blocked,
        moderator=bench.moderator,
        max_seconds=30,
        clock=clock,
    )


def make_services(bench: Bench, clock: Clock, voice: Voice | None = None) -> Services:
    """Put together what cogs need, as the app does it."""
    texts = Texts.load()
    cards = Cards(texts, free_backends=frozenset(), clock=clock)
    presets = Presets(model=None, seconds=8, size="1280x720", max_audio_bytes=1024 * 1024)
    return Services(
        jobs=bench.jobs,
        cards=cards,
        outlooks=Outlooks(bench.database),
        texts=texts,
        presets=presets,
        people=bench.people,
        keeper=bench.keeper,
        workspace=bench.workspace,
        library=bench.library,
        resender=make_resender(bench, clock),
        narrator=make_narrator(bench, clock, voice) if voice else None,
    )


@asynccontextmanager
async def open_desk(
    folder: Path,
    *,
    voice: Voice | None = None,
    blocked: tuple[str, ...] = (),
    moderator: Moderator | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[Desk]:
    """Start the stand-in, and a bot that is logged in there, over what is in `folder/data`."""
    (folder / "discord").mkdir()
    clock = clock or Clock(time.time())
    async with (
        Sandbox(folder / "discord", clock=clock) as sandbox,
        open_bench(folder / "data", clock, blocked=blocked, moderator=moderator) as bench,
        VideoBot() as bot,
        TokenRoute(bot, clock=clock) as tokens,
    ):
        bot.services = services = make_services(bench, clock, voice)
        await log_in(bot, sandbox.token, api_url=sandbox.url)
        gateway = asyncio.create_task(bot.connect(), name="gateway")
        try:
            await sandbox.wait_for_bot()
            yield Desk(
                sandbox=sandbox,
                bench=bench,
                bot=bot,
                clock=clock,
                cards=services.cards,
                messages=Messages(bot, bench.jobs, tokens),
                direct=DirectMessages(bot, bench.people, clock=clock),
            )
        finally:
            gateway.cancel()
            await asyncio.gather(gateway, return_exceptions=True)
