"""Assembles the parts that bring jobs to Discord."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.delivery.card_edits import CardEdits
from bot.delivery.deliverer import DiscordDeliverer
from bot.delivery.dm import DirectMessages
from bot.delivery.dm_notices import DmNotices
from bot.delivery.edit_lock import EditGracePeriods, EditLock
from bot.delivery.interaction_token import InteractionTokens
from bot.delivery.operator_notices import OperatorNotices
from bot.delivery.resend import Resender
from bot.delivery.upload_fallback import UploadFallback
from bot.delivery.views.library_view import LibraryView
from storage.artifacts import ArtifactStore
from storage.jobs.circuits import CircuitStore
from storage.jobs.holds import HoldStore
from storage.jobs.queue_outlook import QueueOutlook
from storage.people import PeopleStore
from storage.upload_limits import UploadLimits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import aiohttp
    import discord

    from bot.delivery.upload_fallback import Shrinker
    from bot.delivery.views.card import CardRenderer
    from bot.jobs.service import JobService
    from bot.library.index import Library
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from bot.pacing import WatchedClock
    from bot.texts import Texts
    from storage.database import Database


@asynccontextmanager
async def open_deliverer(
    client: discord.Client,
    database: Database,
    *,
    jobs: JobService,
    cards: CardRenderer,
    links: Links,
    workspace: Workspace,
    shrinker: Shrinker,
    clock: WatchedClock,
    grace_periods: EditGracePeriods | None = None,
    trace: aiohttp.TraceConfig | None = None,
    count_delivery: Callable[[str], None] = lambda _: None,
) -> AsyncGenerator[DiscordDeliverer]:
    """Open the HTTP session for interaction tokens, and yield the deliverer."""
    people, artifacts = PeopleStore(database), ArtifactStore(database)
    upload_fallback = _upload_fallback(database, shrinker, workspace, links, clock)
    async with InteractionTokens(client, clock=clock, trace=trace) as tokens:
        yield DiscordDeliverer(
            card_edits=CardEdits(client, jobs, tokens),
            dm_notices=DmNotices(
                direct_messages=DirectMessages(client, people, clock=clock),
                cards=cards,
                jobs=jobs,
                links=links,
                upload_fallback=upload_fallback,
                artifacts=artifacts,
                people=people,
                clock=clock,
            ),
            cards=cards,
            queue_outlook=QueueOutlook(database),
            edit_lock=EditLock(grace_periods or EditGracePeriods()),
            upload_fallback=upload_fallback,
            links=links,
            artifacts=artifacts,
            count_delivery=count_delivery,
            clock=clock,
        )


def make_resender(
    database: Database,
    *,
    library: Library,
    texts: Texts,
    links: Links,
    workspace: Workspace,
    shrinker: Shrinker,
    clock: WatchedClock,
) -> Resender:
    """Return the part that sends videos again."""
    return Resender(
        library=library,
        library_view=LibraryView(texts),
        upload_fallback=_upload_fallback(database, shrinker, workspace, links, clock),
        links=links,
    )


def make_operator_notices(
    client: discord.Client,
    database: Database,
    *,
    jobs: JobService,
    texts: Texts,
    backend: str,
    clock: WatchedClock,
) -> OperatorNotices:
    """Return the part that sends DMs to the operator."""
    return OperatorNotices(
        client=client,
        circuits=CircuitStore(database),
        holds=HoldStore(database),
        direct_messages=DirectMessages(client, PeopleStore(database), clock=clock),
        jobs=jobs,
        texts=texts,
        backend=backend,
        clock=clock,
    )


def _upload_fallback(
    database: Database,
    shrinker: Shrinker,
    workspace: Workspace,
    links: Links,
    clock: WatchedClock,
) -> UploadFallback:
    return UploadFallback(
        limits=UploadLimits(database),
        shrinker=shrinker,
        workspace=workspace,
        links=links,
        clock=clock,
    )
