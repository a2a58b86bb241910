"""Opens the components that speak to Discord, and those that serve people and API clients."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.delivery.call_metrics import trace_calls
from bot.delivery.copies.ordered_copies import OrderedCopies
from bot.delivery.progress import ProgressCards
from bot.delivery.requests.discord_requests import DiscordRequests
from bot.delivery.second_bot import SecondBotWatch
from bot.delivery.views.card import CardRenderer
from bot.delivery.views.service_name import ServiceName
from bot.delivery.wiring import (
    make_delivery,
    make_operator_notices,
    make_order_log,
    make_resender,
    make_take_down,
)
from bot.discord_bot.bot import Services, VideoBot
from bot.discord_bot.gateway.identify_budget import IdentifyBudget
from bot.discord_bot.gateway.session import GatewaySession
from bot.discord_bot.login import log_in
from bot.discord_bot.memberships import MembershipFinder
from bot.discord_bot.names import DiscordNames
from bot.discord_bot.owner.rights import Owners
from bot.jobs.waits.pause_watch import PauseWatch
from bot.library.index import Library
from bot.library.remote_deletion import RemoteDeletion
from bot.runtime.costs import make_spending_picture
from bot.runtime.http_server import open_http_server
from bot.runtime.part_watch import make_part_watch
from bot.runtime.parts.keeping import (
    make_kept_speeches,
    make_links,
    make_retention,
    notify_default,
)
from bot.runtime.parts.storyboard import STORYBOARD
from bot.runtime.roles.role import Role
from bot.runtime.supervisor import GATEWAY, Service, sweep_hourly
from bot.runtime.workers import make_list_polling, make_orphan_counter, make_workers
from bot.storyboard.lettering.coverage import StoryboardCoverage
from bot.texts import Texts
from storage.access.audit import AuditStore
from storage.access.owner_servers import OwnerServerStore
from storage.access.settings import AccessSettingsStore
from storage.delivery.copy_orders import CopyOrderStore
from storage.delivery.second_bots import SecondBotStore
from storage.identifies import IdentifyStore
from storage.jobs.queue_outlook import QueueOutlook
from storage.library import LibraryStore
from storage.people import PeopleStore
from storage.retention import RetentionStore
from storage.sent_commands import SentCommandsStore
from storage.sqlite.database_files import DatabaseFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from bot.runtime.engine import Engine
    from bot.runtime.part_watch import PartWatch
    from bot.speech.voices import Voices


async def open_service(
    engine: Engine,
    voices: Voices | None,
    stack: AsyncExitStack,
    *,
    role: Role = Role.ALL,
    may_send: Callable[[], bool] = lambda: True,
) -> Service:
    """Open the components, and start the HTTP server.

    `may_send`: returns False once this process may no longer speak to Discord.
    """
    resources, jobs, workspace = engine.resources, engine.jobs, engine.workspace
    database, settings, texts = resources.database, resources.settings, Texts.load()
    clock = resources.clock
    links = make_links(resources)
    service_name = ServiceName(
        label=settings.video_label, backend=engine.backend.name, model=settings.model
    )
    cards = CardRenderer(
        texts,
        free_backends=frozenset({STORYBOARD}),
        voice_costs=voices is not None and voices.costs,
        service_name=service_name,
        clock=clock,
        coverage={STORYBOARD: StoryboardCoverage()},
        shows_prices=engine.budgeting.shows_prices,
    )
    remote_deletion = RemoteDeletion(RetentionStore(database), engine.backend, clock=clock)
    people = PeopleStore(database, notify_default(settings))
    speeches = make_kept_speeches(engine)
    retention = make_retention(engine, people, speeches, remote_deletion)
    library = Library(LibraryStore(database), engine.artifacts, workspace, clock=clock)
    narrator = None
    if voices is not None:
        from bot.runtime.parts.narration import make_narrator  # noqa: PLC0415 - only voices need it

        narrator = make_narrator(engine, voices, speeches)
    count_call = engine.metrics.count_discord_call
    is_desk = role is Role.DESK
    copy_orders = CopyOrderStore(database, clock=database.wall)
    shrinker = OrderedCopies(copy_orders, workspace) if is_desk else engine.editor
    trace = trace_calls(count_call, clock.set_known, may_send)
    requests = await stack.enter_async_context(DiscordRequests(clock=clock, trace=trace))
    second_bot = SecondBotWatch(SecondBotStore(database), clock=clock)
    take_down = partial(
        make_take_down,
        database=database,
        retention=retention,
        requests=requests,
        jobs=jobs,
        clock=clock,
    )
    services = Services(
        jobs=jobs,
        budgeting=engine.budgeting,
        spending=make_spending_picture(settings, database, texts, clock=clock),
        cards=cards,
        queue_outlook=QueueOutlook(database, clock=clock),
        texts=texts,
        presets=engine.presets,
        people=people,
        voice_permissions=engine.voice_permissions,
        retention=retention,
        speeches=speeches,
        workspace=workspace,
        library=library,
        resender=make_resender(
            database,
            requests=requests,
            library=library,
            texts=texts,
            links=links,
            workspace=workspace,
            shrinker=shrinker,
            clock=clock,
        ),
        second_bot=second_bot,
        gate=engine.gate,
        access=AccessSettingsStore(database),
        audit=AuditStore(database),
        memberships=MembershipFinder(engine.gate.reach, clock=clock),
        refusals=engine.refusals,
        take_down=take_down,
        owners=Owners(settings.owner_server_ids, clock=clock),
        owner_servers=OwnerServerStore(database),
        sent_commands=SentCommandsStore(database),
        narrator=narrator,
        count_answer=engine.metrics.count_answer,
        service_name=service_name,
        clock=clock,
    )
    bot = VideoBot(
        services,
        trace_calls(count_call, clock.set_known, may_send),
        count_skipped=engine.metrics.count_skipped_event,
    )
    part_watch = make_part_watch(engine)
    delivery = make_delivery(
        bot,
        database,
        requests=requests,
        second_bot=second_bot,
        jobs=jobs,
        card_records=engine.card_records,
        cards=cards,
        links=links,
        workspace=workspace,
        shrinker=shrinker,
        clock=clock,
        count_delivery=engine.metrics.count_delivery,
        people=people,
    )
    workers = make_workers(engine, delivery.deliverer, role)
    progress = ProgressCards(delivery.deliverer, engine.timing.edit_intervals, clock=clock)
    operator = make_operator_notices(
        bot,
        database,
        requests=requests,
        second_bot=second_bot,
        budget_alarms=engine.budget_alarms,
        jobs=jobs,
        texts=texts,
        backend=engine.backend.name,
        clock=clock,
    )
    order_log = make_order_log(bot, database, requests=requests, texts=texts, clock=clock)
    for subscriber in (
        progress.on_job_changed,
        operator.on_job_changed,
        order_log.on_job_changed,
    ):
        engine.bus.subscribe(subscriber)
    engine.refusals.subscribe(order_log.on_refusal)
    await open_http_server(
        engine,
        stack,
        texts=texts,
        links=links,
        narrator=narrator,
        retention=retention,
        take_down=take_down(bot),
        spending=services.spending,
        names=DiscordNames(bot),
        is_ready=bot.is_ready,
    )
    stack.push_async_callback(bot.close)
    return Service(
        bot=bot,
        log_in=partial(
            log_in,
            bot,
            settings.discord_token.get_secret_value(),
            api_url=settings.discord_api_url,
        ),
        login_pause=engine.timing.login_pause,
        jobs=jobs,
        card_records=engine.card_records,
        webhooks=engine.webhooks,
        circuit=engine.circuit,
        clock_watcher=engine.clock_watcher,
        heartbeat=engine.heartbeat,
        holds=engine.holds,
        retention=retention,
        database_files=None
        if settings.database_url.get_secret_value()
        else DatabaseFiles(database, settings.data_dir),
        takeover=engine.takeover,
        remote_deletion=remote_deletion,
        orphans=make_orphan_counter(engine),
        workers=workers,
        list_polling=None if is_desk else make_list_polling(engine),
        more_parts={"copy orders": partial(sweep_hourly, copy_orders)} if is_desk else {},
        progress=progress,
        operator=operator,
        order_log=order_log,
        pause_watch=PauseWatch(engine.access, jobs, clock=clock),
        smaller_copies=delivery.smaller_copies,
        metrics=engine.metrics,
        session=_gateway_session(engine, bot, part_watch),
        part_watch=part_watch,
    )


def _gateway_session(engine: Engine, bot: VideoBot, watch: PartWatch) -> GatewaySession:
    async def report(error: Exception | None) -> None:
        if error is None:
            await watch.record_recovery(GATEWAY)
        else:
            await watch.record_failure(GATEWAY, error)

    resources = engine.resources
    return GatewaySession(
        bot,
        IdentifyBudget(IdentifyStore(resources.database), clock=resources.clock),
        first_pause=engine.timing.restart_pause,
        report=report,
    )
