"""Assembles the components that deliver videos and send DMs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.delivery.card_edits import CardEdits
from bot.delivery.copies.smaller_copies import SmallerCopies
from bot.delivery.deliverer import DiscordDeliverer
from bot.delivery.dm import DirectMessages
from bot.delivery.dm_notices import DmNotices
from bot.delivery.edit_lock import EditGracePeriods, EditLock
from bot.delivery.interaction_token import InteractionTokens
from bot.delivery.operator_notices import OperatorNotices
from bot.delivery.order_log.order_log import OrderLog
from bot.delivery.requests.bot_requests import BotRequests
from bot.delivery.requests.message_deletion import MessageDeletion
from bot.delivery.resend import Resender
from bot.delivery.upload_fallback import UploadFallback
from bot.delivery.views.library_view import LibraryView
from bot.library.take_down import TakeDown
from storage.access.audit import AuditStore
from storage.access.closed_log_channels import ClosedLogChannelStore
from storage.access.settings import AccessSettingsStore
from storage.artifacts import ArtifactStore
from storage.delivery.due_copies import DueCopyStore
from storage.delivery.upload_limits import UploadLimits
from storage.failing_parts import FailingPartStore
from storage.jobs.circuits import CircuitStore
from storage.jobs.holds import HoldStore
from storage.jobs.queue_outlook import QueueOutlook
from storage.people import PeopleStore
from storage.retention import RetentionStore

if TYPE_CHECKING:
    from collections.abc import Callable

    import discord

    from bot.delivery.requests.discord_requests import DiscordRequests
    from bot.delivery.second_bot import SecondBotWatch
    from bot.delivery.upload_fallback import Shrinker
    from bot.delivery.views.card import CardRenderer
    from bot.jobs.changes.card_records import CardRecords
    from bot.jobs.costs.alarms import BudgetAlarms
    from bot.jobs.service import JobService
    from bot.library.index import Library
    from bot.library.retention import Retention
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from bot.pacing import WatchedClock
    from bot.texts import Texts
    from storage.database import Database


# Two lanes upload files. The lane for DMs has fewer slots than the other. This limit is one less
# than the number of slots in the lane for DMs.
_MOST_COPIES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """The components that deliver videos to Discord."""

    deliverer: DiscordDeliverer
    smaller_copies: SmallerCopies


def make_delivery(
    bot: discord.Client,
    database: Database,
    *,
    requests: DiscordRequests,
    second_bot: SecondBotWatch,
    jobs: JobService,
    card_records: CardRecords,
    cards: CardRenderer,
    links: Links,
    workspace: Workspace,
    shrinker: Shrinker,
    clock: WatchedClock,
    grace_periods: EditGracePeriods | None = None,
    count_delivery: Callable[[str], None] = lambda _: None,
    people: PeopleStore | None = None,
) -> Delivery:
    """Assemble the components that deliver videos to Discord."""
    people, artifacts = people or PeopleStore(database), ArtifactStore(database)
    upload_fallback = _upload_fallback(
        database, shrinker, workspace, links, clock, most_copies=_MOST_COPIES
    )
    bot_requests = BotRequests(bot, requests)
    edit_lock = EditLock(grace_periods or EditGracePeriods())
    card_edits = CardEdits(
        bot_requests=bot_requests,
        tokens=InteractionTokens(requests, clock=clock),
        jobs=jobs,
        card_records=card_records,
        second_bot=second_bot,
    )
    smaller_copies = SmallerCopies(
        DueCopyStore(database),
        jobs=jobs,
        artifacts=artifacts,
        workspace=workspace,
        upload_fallback=upload_fallback,
        cards=cards,
        card_edits=card_edits,
        edit_lock=edit_lock,
        links=links,
        clock=clock,
    )
    deliverer = DiscordDeliverer(
        card_edits=card_edits,
        dm_notices=DmNotices(
            direct_messages=DirectMessages(bot_requests, people, clock=clock),
            cards=cards,
            card_records=card_records,
            links=links,
            upload_fallback=upload_fallback,
            artifacts=artifacts,
            people=people,
            clock=clock,
        ),
        cards=cards,
        queue_outlook=QueueOutlook(database, clock=clock),
        edit_lock=edit_lock,
        upload_fallback=upload_fallback,
        smaller_copies=smaller_copies,
        links=links,
        artifacts=artifacts,
        workspace=workspace,
        count_delivery=count_delivery,
        clock=clock,
    )
    return Delivery(deliverer=deliverer, smaller_copies=smaller_copies)


def make_resender(
    database: Database,
    *,
    requests: DiscordRequests,
    library: Library,
    texts: Texts,
    links: Links,
    workspace: Workspace,
    shrinker: Shrinker,
    clock: WatchedClock,
) -> Resender:
    """Return the component that sends a finished video again."""
    return Resender(
        library=library,
        library_view=LibraryView(texts),
        upload_fallback=_upload_fallback(database, shrinker, workspace, links, clock),
        links=links,
        requests=requests,
    )


def make_take_down(
    bot: discord.Client,
    database: Database,
    retention: Retention,
    *,
    requests: DiscordRequests,
    jobs: JobService,
    clock: WatchedClock,
) -> TakeDown:
    """Return the component that deletes a person's videos and cards."""
    return TakeDown(
        RetentionStore(database),
        retention,
        jobs,
        AuditStore(database),
        delete_message=MessageDeletion(BotRequests(bot, requests)).delete,
        clock=clock,
    )


def make_order_log(
    bot: discord.Client,
    database: Database,
    *,
    requests: DiscordRequests,
    texts: Texts,
    clock: WatchedClock,
) -> OrderLog:
    """Assemble the component that posts orders and refusals to the log channel."""
    return OrderLog(
        BotRequests(bot, requests),
        AccessSettingsStore(database),
        ClosedLogChannelStore(database),
        texts=texts,
        clock=clock,
    )


def make_operator_notices(
    bot: discord.Client,
    database: Database,
    *,
    requests: DiscordRequests,
    second_bot: SecondBotWatch,
    budget_alarms: BudgetAlarms,
    jobs: JobService,
    texts: Texts,
    backend: str,
    clock: WatchedClock,
) -> OperatorNotices:
    """Return the component that sends DMs to the operator."""
    return OperatorNotices(
        bot=bot,
        circuits=CircuitStore(database),
        holds=HoldStore(database),
        direct_messages=DirectMessages(
            BotRequests(bot, requests), PeopleStore(database), clock=clock
        ),
        second_bot=second_bot,
        failing_parts=FailingPartStore(database),
        closed_log_channels=ClosedLogChannelStore(database),
        budget_alarms=budget_alarms,
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
    *,
    most_copies: int | None = None,
) -> UploadFallback:
    return UploadFallback(
        limits=UploadLimits(database),
        shrinker=shrinker,
        workspace=workspace,
        links=links,
        clock=clock,
        most_copies=most_copies,
    )
