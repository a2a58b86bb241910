"""A connected bot without workers, over real sockets to the stand-in for Discord."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bot.artifacts import Artifact
from bot.backends.capabilities import Capabilities, SoundForm
from bot.delivery.card_edits import CardEdits
from bot.delivery.copies.smaller_copies import SmallerCopies
from bot.delivery.deliverer import DiscordDeliverer
from bot.delivery.dm import DirectMessages
from bot.delivery.dm_notices import DmNotices
from bot.delivery.edit_lock import EditGracePeriods, EditLock
from bot.delivery.interaction_token import InteractionTokens
from bot.delivery.requests.bot_requests import BotRequests
from bot.delivery.requests.discord_requests import DiscordRequests
from bot.delivery.resend import Resender
from bot.delivery.second_bot import SecondBotWatch
from bot.delivery.upload_fallback import UploadFallback
from bot.delivery.views.card import CardRenderer
from bot.delivery.views.library_view import LibraryView
from bot.delivery.wiring import make_operator_notices, make_order_log, make_take_down
from bot.demo.fake_discord.server import FakeDiscord
from bot.discord_bot.bot import Services, VideoBot
from bot.discord_bot.login import log_in
from bot.discord_bot.memberships import MembershipFinder
from bot.discord_bot.owner.rights import Owners
from bot.links import Links
from bot.media.process.ffmpeg import Ffmpeg
from bot.presets import Presets
from bot.speech.narrator import Narrator
from bot.speech.voices import Voices
from bot.texts import Texts
from storage.access.audit import AuditStore
from storage.access.owner_servers import OwnerServerStore
from storage.delivery.due_copies import DueCopyStore
from storage.delivery.second_bots import SecondBotStore
from storage.delivery.upload_limits import UploadLimits
from storage.jobs.queue_outlook import QueueOutlook
from storage.sent_commands import SentCommandsStore
from storage.speeches import SpeechCaps, SpeechStore
from tests.support.fakes.bench import CAPS, EVERYWHERE, FREE, open_bench
from tests.support.fakes.clock import Clock
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.delivery.operator_notices import OperatorNotices
    from bot.delivery.order_log.order_log import OrderLog
    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.history import Recorded
    from bot.demo.fake_discord.state.message import Message
    from bot.jobs.costs.prices import Prices
    from bot.jobs.guiding.permissions import HearingService
    from bot.model import Job
    from bot.moderation.access.place import Reach
    from bot.moderation.base import Moderator
    from bot.speech.voice import Voice
    from storage.jobs.caps import Caps
    from storage.ledger.budgets import Budgets
    from tests.support.fakes.bench import Bench

TOKEN_SECONDS = 900
PRESETS = Presets(model=None, seconds=8, size="1280x720", max_audio_bytes=1024 * 1024)


@dataclass(kw_only=True)
class Desk:
    """A connected bot that accepts commands, its parts, and a clock that tests set."""

    fake_discord: FakeDiscord
    bench: Bench
    bot: VideoBot
    clock: Clock
    cards: CardRenderer
    requests: DiscordRequests
    card_edits: CardEdits
    direct: DirectMessages
    smaller_copies: SmallerCopies = field(init=False)
    handovers: list[str] = field(default_factory=list[str])

    def deliverer(self, *, public_url: str = "") -> DiscordDeliverer:
        bench = self.bench
        links = Links(b"key", public_url=public_url, lifetime=60.0, clock=self.clock)
        upload_fallback = make_upload_fallback(bench, self.clock, links)
        dm_notices = DmNotices(
            direct_messages=self.direct,
            cards=self.cards,
            card_records=bench.card_records,
            links=links,
            upload_fallback=upload_fallback,
            artifacts=bench.artifacts,
            people=bench.people,
            clock=self.clock,
        )
        edit_lock = EditLock(EditGracePeriods(usual=0.2, unanswered=0.2))
        self.smaller_copies = SmallerCopies(
            DueCopyStore(bench.database),
            jobs=bench.jobs,
            artifacts=bench.artifacts,
            workspace=bench.workspace,
            upload_fallback=upload_fallback,
            cards=self.cards,
            card_edits=self.card_edits,
            edit_lock=edit_lock,
            links=links,
            clock=self.clock,
        )
        return DiscordDeliverer(
            card_edits=self.card_edits,
            dm_notices=dm_notices,
            cards=self.cards,
            queue_outlook=QueueOutlook(bench.database, clock=self.clock),
            edit_lock=edit_lock,
            upload_fallback=upload_fallback,
            smaller_copies=self.smaller_copies,
            links=links,
            artifacts=bench.artifacts,
            workspace=bench.workspace,
            count_delivery=self.handovers.append,
            clock=self.clock,
        )

    @property
    def second_bot(self) -> SecondBotWatch:
        return self.bot.services.second_bot

    def order_log(self) -> OrderLog:
        """Return the log of a bot that has just started."""
        order_log = make_order_log(
            self.bot,
            self.bench.database,
            requests=self.requests,
            texts=Texts.load(),
            clock=self.clock,
        )
        self.bench.bus.subscribe(order_log.on_job_changed)
        self.bench.refusals.subscribe(order_log.on_refusal)
        return order_log

    def operator_notices(self, backend: str = "fake") -> OperatorNotices:
        """Return the notices of a bot that has just started."""
        return make_operator_notices(
            self.bot,
            self.bench.database,
            requests=self.requests,
            second_bot=self.second_bot,
            budget_alarms=self.bench.build_budget_alarms(),
            jobs=self.bench.jobs,
            texts=Texts.load(),
            backend=backend,
            clock=self.clock,
        )

    async def video(self, prompt: str = "a cat on a roof") -> tuple[Job, Message]:
        """Type `/video`, and return its job and its card."""
        interaction = await self.fake_discord.slash("video", {"prompt": prompt})
        message = await self.fake_discord.answer_to(interaction)
        await self.bench.until(lambda: self._acknowledged(message) is not None)
        job = self._acknowledged(message)
        assert job is not None
        return job, message

    def _acknowledged(self, message: Message) -> Job | None:
        jobs = (change.job for change in self.bench.changes)
        return next((job for job in jobs if job.origin.message_id == message.id), None)

    async def click(self, message: Message, label: str, **who: object) -> Message:
        """Press a button, and return the message that answers."""
        [custom_id] = [
            part["custom_id"]
            for part in message.components
            if part.get("label", "").startswith(label)
        ]
        pressed: Interaction = await self.fake_discord.click(message, custom_id, **who)  # pyright: ignore[reportArgumentType] - user
        return await self.fake_discord.answer_to(pressed)

    def delete_token(self) -> None:
        """Advance the clock until the tokens have expired, so that only the bot itself can edit."""
        self.clock.advance(TOKEN_SECONDS)

    def artifact(self, job: Job, content: bytes = b"a video") -> Artifact:
        """Store a finished video of a job."""
        path = self.bench.workspace.video(job.id)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return Artifact(job_id=job.id, size=len(content), sha256="0" * 64, created_at=0)

    def made(self, operation: str) -> list[Recorded]:
        """Return the requests of one operation that the stand-in received."""
        return self.fake_discord.history.operations(operation)


def make_upload_fallback(bench: Bench, clock: Clock, links: Links) -> UploadFallback:
    """Return an upload fallback over the bench's parts."""
    return UploadFallback(
        limits=UploadLimits(bench.database),
        shrinker=bench.editor,
        workspace=bench.workspace,
        links=links,
        clock=clock,
    )


def make_resender(
    bench: Bench, clock: Clock, requests: DiscordRequests, *, public_url: str = ""
) -> Resender:
    """Return a resender that does not pause between its attempts."""
    links = Links(b"key", public_url=public_url, lifetime=60.0, clock=clock)
    return Resender(
        library=bench.library,
        library_view=LibraryView(Texts.load()),
        upload_fallback=make_upload_fallback(bench, clock, links),
        links=links,
        requests=requests,
        pauses=(0, 0),
    )


FEW_SPEECHES = SpeechCaps(per_user=2, per_day=3)


def make_narrator(
    bench: Bench, clock: Clock, voice: Voice | Voices, caps: SpeechCaps = FEW_SPEECHES
) -> Narrator:
    """Return a narrator."""
    return Narrator(
        voice if isinstance(voice, Voices) else Voices(voice),
        Ffmpeg(clips.binary(), slots=1),
        bench.workspace,
        SpeechStore(bench.database),
        bench.budgeting,
        kept=bench.speeches,
        caps=caps,
        blocked=bench.blocked,
        gate=bench.gate,
        moderator=bench.moderator,
        max_seconds=30,
        clock=clock,
    )


def make_services(
    bench: Bench,
    clock: Clock,
    requests: DiscordRequests | None = None,
    *,
    voice: Voice | Voices | None = None,
    speech_caps: SpeechCaps = FEW_SPEECHES,
    presets: Presets = PRESETS,
    public_url: str = "",
    owner_servers: frozenset[int] = frozenset(),
    hearing: HearingService | None = None,
) -> Services:
    """Return what the cogs work with, assembled as in the app."""
    if hearing is not None:
        bench.voice_permissions.service = hearing
        bench.backend.capabilities = Capabilities(sound_forms=(SoundForm.DATA_URL,))
    texts = Texts.load()
    cards = CardRenderer(texts, free_backends=frozenset(), clock=clock)
    requests = requests or DiscordRequests(clock=clock)
    return Services(
        jobs=bench.jobs,
        budgeting=bench.budgeting,
        spending=bench.build_spending_picture(texts),
        cards=cards,
        queue_outlook=QueueOutlook(bench.database, clock=clock),
        texts=texts,
        presets=presets,
        people=bench.people,
        voice_permissions=bench.voice_permissions,
        retention=bench.retention,
        speeches=bench.speeches,
        workspace=bench.workspace,
        library=bench.library,
        resender=make_resender(bench, clock, requests, public_url=public_url),
        second_bot=SecondBotWatch(SecondBotStore(bench.database), clock=clock),
        gate=bench.gate,
        access=bench.access,
        audit=AuditStore(bench.database),
        memberships=MembershipFinder(bench.gate.reach, clock=clock),
        refusals=bench.refusals,
        take_down=partial(
            make_take_down,
            database=bench.database,
            retention=bench.retention,
            requests=requests,
            jobs=bench.jobs,
            clock=clock,
        ),
        owners=Owners(owner_servers, clock=clock),
        owner_servers=OwnerServerStore(bench.database),
        sent_commands=SentCommandsStore(bench.database),
        narrator=make_narrator(bench, clock, voice, speech_caps) if voice else None,
        clock=clock,
    )


@asynccontextmanager
async def open_desk(
    folder: Path,
    *,
    voice: Voice | Voices | None = None,
    speech_caps: SpeechCaps = FEW_SPEECHES,
    blocked: tuple[str, ...] = (),
    moderator: Moderator | None = None,
    clock: Clock | None = None,
    caps: Caps = CAPS,
    presets: Presets = PRESETS,
    public_url: str = "",
    reach: Reach = EVERYWHERE,
    price: int = 0,
    prices: Prices = FREE,
    budgets: Budgets | None = None,
    has_owner_commands: bool = False,
    hearing: HearingService | None = None,
) -> AsyncGenerator[Desk]:
    """Start the stand-in and a bot that is logged in to it, over the data in `folder/data`.

    `hearing`: the service that may hear voices. The bot takes the sound as a data URL.

    `has_owner_commands`: whether the owner's commands are offered in the first server.
    """
    (folder / "discord").mkdir()
    clock = clock or Clock(time.time())
    async with (
        FakeDiscord(folder / "discord", clock=clock) as fake_discord,
        open_bench(
            folder / "data",
            clock,
            caps=caps,
            blocked=blocked,
            moderator=moderator,
            reach=reach,
            price=price,
            prices=prices,
            budgets=budgets,
        ) as bench,
        DiscordRequests(clock=clock) as requests,
        VideoBot(
            make_services(
                bench,
                clock,
                requests,
                voice=voice,
                speech_caps=speech_caps,
                presets=presets,
                public_url=public_url,
                hearing=hearing,
                owner_servers=frozenset(
                    {fake_discord.world.guild.id} if has_owner_commands else ()
                ),
            )
        ) as bot,
    ):
        await log_in(bot, fake_discord.token, api_url=fake_discord.url)
        gateway = asyncio.create_task(bot.connect(), name="gateway")
        bot_requests = BotRequests(bot, requests)
        try:
            await fake_discord.wait_for_bot()
            yield Desk(
                fake_discord=fake_discord,
                bench=bench,
                bot=bot,
                clock=clock,
                cards=bot.services.cards,
                requests=requests,
                card_edits=CardEdits(
                    bot_requests=bot_requests,
                    tokens=InteractionTokens(requests, clock=clock),
                    jobs=bench.jobs,
                    card_records=bench.card_records,
                    second_bot=bot.services.second_bot,
                ),
                direct=DirectMessages(bot_requests, bench.people, clock=clock),
            )
        finally:
            gateway.cancel()
            await asyncio.gather(gateway, return_exceptions=True)
