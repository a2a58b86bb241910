"""Runs the components as tasks until a stop is requested, and then stops them in order."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bot.errors import DeliveryError
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.delivery.copies.smaller_copies import SmallerCopies
    from bot.delivery.operator_notices import OperatorNotices
    from bot.delivery.order_log.order_log import OrderLog
    from bot.delivery.progress import ProgressCards
    from bot.discord_bot.bot import VideoBot
    from bot.discord_bot.gateway.session import GatewaySession
    from bot.jobs.changes.card_records import CardRecords
    from bot.jobs.changes.webhook_receiver import WebhookReceiver
    from bot.jobs.circuit_breaker import CircuitBreaker
    from bot.jobs.leases.heartbeat import Heartbeat
    from bot.jobs.polling.list_polling import ListPolling
    from bot.jobs.service import JobService
    from bot.jobs.waits.clock_watcher import ClockWatcher
    from bot.jobs.waits.holds import Holds
    from bot.jobs.waits.pause_watch import PauseWatch
    from bot.jobs.worker import Worker
    from bot.library.orphans import OrphanCounter
    from bot.library.remote_deletion import RemoteDeletion
    from bot.library.retention import Retention
    from bot.media.files.stores.takeover import TakeoverStore
    from bot.metrics import Metrics
    from bot.runtime.part_watch import PartWatch
    from storage.sqlite.database_files import DatabaseFiles

log = logging.getLogger(__name__)

#: The name of the component that stays connected to Discord.
GATEWAY = "gateway"
_GRACE_SECONDS = 20.0
_SWEEP_SECONDS = 60 * 60.0
_MAX_LOGIN_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """The components that run as tasks.

    `log_in` is called until it succeeds. The wait after the first failure is `login_pause`
    seconds, and doubles with each further failure.

    `part_watch` restarts components that fail.
    """

    bot: VideoBot
    log_in: Callable[[], Awaitable[None]]
    login_pause: float
    jobs: JobService
    card_records: CardRecords
    webhooks: WebhookReceiver
    circuit: CircuitBreaker
    clock_watcher: ClockWatcher
    heartbeat: Heartbeat | None
    holds: Holds
    retention: Retention
    database_files: DatabaseFiles | None
    takeover: TakeoverStore | None
    remote_deletion: RemoteDeletion
    orphans: OrphanCounter
    workers: tuple[Worker, ...]
    list_polling: ListPolling | None
    progress: ProgressCards
    operator: OperatorNotices
    order_log: OrderLog
    pause_watch: PauseWatch
    smaller_copies: SmallerCopies
    metrics: Metrics
    session: GatewaySession
    part_watch: PartWatch
    more_parts: Mapping[str, Callable[[], Awaitable[object]]] = field(
        default_factory=dict[str, "Callable[[], Awaitable[object]]"]
    )


async def supervise(
    service: Service, stop: asyncio.Event, keeping: asyncio.Task[None] | None = None
) -> None:
    """Run the components until `stop` is set, and restart those that fail.

    Components that don't need Discord start at once. The others start after the login.
    `keeping`: a task that fails when this process may no longer speak to Discord.

    Raises StartupError if Discord refuses the login or the connection, and the error of `keeping`.
    """
    watch = service.part_watch
    await watch.start()
    await service.clock_watcher.resume()
    held = await service.jobs.wake_postponed_deliveries()
    await service.circuit.resume()
    log.info("app.started held=%d", held)
    for job in await service.card_records.editable_by_token_only():
        service.progress.watch(job)
    # The cards of queued jobs still show their places from before the restart, so update them.
    await service.jobs.publish_queue()
    logged_in = asyncio.Event()
    for worker in service.workers:
        worker.pause_discord()

    async def after_login(run: Callable[[], Awaitable[None]]) -> None:
        await logged_in.wait()
        await run()

    parts: dict[str, Callable[[], Awaitable[object]]] = {
        GATEWAY: partial(_connect, service, logged_in),
        "command sync": partial(after_login, service.bot.keep_commands_synced),
        "progress cards": partial(after_login, service.progress.run),
        "order log": partial(after_login, service.order_log.run),
        "operator notices": partial(after_login, service.operator.run),
        "smaller copies": partial(after_login, service.smaller_copies.run),
        "remote deletion": service.remote_deletion.run,
        "clock": service.clock_watcher.run,
        "holds": service.holds.run,
        "pause watch": service.pause_watch.run,
        "orphan counter": service.orphans.run,
        "loop metrics": service.metrics.watch_loop,
        "sweep": partial(sweep_hourly, service.jobs),
        "webhook sweep": partial(sweep_hourly, service.webhooks),
        "retention": partial(sweep_hourly, service.retention),
        **(
            {"database files": partial(sweep_hourly, service.database_files)}
            if service.database_files
            else {}
        ),
        **(
            {"moves to the store": partial(sweep_hourly, service.takeover)}
            if service.takeover
            else {}
        ),
        **({"heartbeat": service.heartbeat.run} if service.heartbeat else {}),
        **({"list polling": service.list_polling.run} if service.list_polling else {}),
        **{f"{worker.name} worker": worker.run for worker in service.workers},
        **service.more_parts,
    }
    await run_parts(parts, service.workers, watch, stop, keeping)


async def run_parts(
    parts: Mapping[str, Callable[[], Awaitable[object]]],
    workers: Sequence[Worker],
    watch: PartWatch,
    stop: asyncio.Event,
    keeping: asyncio.Task[None] | None = None,
) -> None:
    """Run the components until `stop` is set, or until `keeping` fails."""
    tasks: set[asyncio.Task[Any]] = {
        asyncio.create_task(stop.wait(), name="stop"),
        *(
            asyncio.create_task(watch.keep_running(name, run), name=name)
            for name, run in parts.items()
        ),
        *([keeping] if keeping else ()),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        watch.stop()
        log.info("app.stopping because=%s", ",".join(sorted(task.get_name() for task in done)))
        grace = 0.0 if keeping in done else _GRACE_SECONDS
        await asyncio.gather(*(worker.stop(grace=grace) for worker in workers))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class Swept(Protocol):
    """Deletes what is no longer needed."""

    async def sweep(self) -> None:
        """Delete it."""
        ...


async def _connect(service: Service, logged_in: asyncio.Event) -> None:
    """Log in, retrying until Discord can be reached, and then stay connected."""
    pause = service.login_pause
    while not logged_in.is_set():
        try:
            await service.log_in()
            logged_in.set()
            for worker in service.workers:
                worker.resume_discord()
        except DeliveryError as error:
            log.warning("discord.unreachable error=%r again_in=%d", str(error), pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_LOGIN_PAUSE_SECONDS)
    await service.session.run()


async def sweep_hourly(swept: Swept) -> None:
    """Call `sweep` every hour until cancelled. After an error, the next sweep tries again."""
    while True:
        try:
            await swept.sweep()
        except (StorageError, OSError):
            log.exception("sweep.failed")  # the next sweep tries again
        await asyncio.sleep(_SWEEP_SECONDS)
