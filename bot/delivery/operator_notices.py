"""Sends DMs to the operator: about outages, holds, budgets, a second bot, failing components."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.card_edits import as_delivery_error
from bot.delivery.dm import DirectMessage, DmRefusedError
from bot.delivery.requests.application_owners import fetch_owners
from bot.errors import DeliveryError, FirstError, Trouble
from bot.jobs.costs.alarms import NEARLY, WHOLLY
from bot.jobs.costs.amounts import dollars
from bot.model import HoldReason
from bot.texts import Moment
from storage.errors import StorageError
from storage.jobs.holds import HoldNotice

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.delivery.dm import DirectMessages
    from bot.delivery.second_bot import SecondBotWatch
    from bot.jobs.costs.alarms import BudgetAlarms
    from bot.jobs.service import JobService
    from bot.model import Job, JobChanged
    from bot.texts import Texts
    from storage.access.closed_log_channels import ClosedLogChannelStore
    from storage.failing_parts import FailingPartStore
    from storage.jobs.circuits import Circuit, CircuitStore
    from storage.jobs.holds import HoldStore

log = logging.getLogger(__name__)

# Notices are in English, because Discord tells a person's language only in interactions.
_LANGUAGE = "en"

# Most outages are short restarts of the provider and need no action. Only longer ones are reported.
_OUTAGE_SECONDS = 120.0
_LOOK_SECONDS = 30.0
_FIRST_RETRY_SECONDS = 10.0
_SLOWEST_RETRY_SECONDS = 600.0
_DAY_SECONDS = 24 * 60 * 60.0
_BUDGETS = {
    (False, NEARLY): "operator.day_nearly",
    (False, WHOLLY): "operator.day_spent",
    (True, NEARLY): "operator.month_nearly",
    (True, WHOLLY): "operator.month_spent",
}


class OperatorNotices:
    """Sends DMs to the application's owner or team when they may need to act.

    Sent notices are recorded, and each DM contains a marker. After a restart, no DM is repeated.
    """

    def __init__(
        self,
        *,
        bot: discord.Client,
        circuits: CircuitStore,
        holds: HoldStore,
        direct_messages: DirectMessages,
        second_bot: SecondBotWatch,
        failing_parts: FailingPartStore,
        closed_log_channels: ClosedLogChannelStore,
        budget_alarms: BudgetAlarms,
        jobs: JobService,
        texts: Texts,
        backend: str,
        clock: Callable[[], float],
    ) -> None:
        self._bot = bot
        self._circuits = circuits
        self._holds = holds
        self._direct_messages = direct_messages
        self._second_bot = second_bot
        self._failing_parts = failing_parts
        self._closed_log_channels = closed_log_channels
        self._budget_alarms = budget_alarms
        self._jobs = jobs
        self._texts = texts
        self._backend = backend
        self._clock = clock
        self._changed = asyncio.Event()
        self._has_held = False

    def on_job_changed(self, event: JobChanged) -> None:
        """Wake `run` if the change may affect the circuit breaker or a held job."""
        may_end_hold = self._has_held and event.job.state is not event.previous
        if event.outlook_only or event.job.hold is not None or may_end_hold:
            self._changed.set()

    async def run(self) -> None:
        """Send notices when they are due. Runs until cancelled. The bot must be logged in."""
        failures = 0
        while True:
            self._changed.clear()
            try:
                await self.send_due()
                failures = 0
            except (DeliveryError, StorageError) as error:
                failures += 1
                log.warning("operator.untold error=%r", str(error))
            await self._sleep(failures)

    async def send_due(self) -> None:
        """Send the notices that are due now.

        If a notice fails unexpectedly, the error is raised after the other notices were sent.
        Raises DeliveryError if sending may succeed later.
        """
        first_error = FirstError()
        for send in (
            self._send_about_parts,
            self._send_about_log_channel,
            self._send_about_circuit,
            self._send_about_second_bot,
            self._send_about_holds,
            self._send_about_budgets,
        ):
            with first_error.deferred():
                await send()
        first_error.raise_if_any()

    async def _send_about_parts(self) -> None:
        failing = await self._failing_parts.all()
        now = self._clock()
        news = [part for part in failing if (part.notified_at or 0.0) < now - _DAY_SECONDS]
        if not news:
            return
        since = max(part.since for part in news)
        notified_at = max(part.notified_at or 0.0 for part in news)
        # The marker only changes after `record_notice` succeeds, so a repeated DM is recognised.
        marker = f"parts-{int(since):x}-{int(notified_at):x}"
        names = [part.name for part in news]
        await self._send("operator.parts", marker, parts=", ".join(names))
        await self._failing_parts.record_notice(names, now=now)

    async def _send_about_holds(self) -> None:
        held = await self._holds.held()
        self._has_held = bool(held)
        for hold in HoldReason:
            await self._send_about_hold(hold, [job for job in held if job.hold is hold])

    async def _send_about_budgets(self) -> None:
        for alarm in await self._budget_alarms.due():
            await self._send(
                _BUDGETS[alarm.is_month, alarm.percent],
                f"budget-{alarm.period}-{alarm.percent}-{alarm.budget:x}",
                spent=dollars(alarm.spent),
                budget=dollars(alarm.budget),
                when=Moment(int(alarm.renewed_at)),
            )
            await self._budget_alarms.record(alarm)

    async def _send_about_log_channel(self) -> None:
        closed = await self._closed_log_channels.newest()
        if closed is None or closed.notified_at is not None:
            return
        channel = f"<#{closed.channel_id}>"
        marker = f"log-{closed.channel_id:x}-{int(closed.since):x}"
        await self._send("operator.log_channel", marker, channel=channel)
        await self._closed_log_channels.record_notice(closed.channel_id, now=self._clock())

    async def _send_about_circuit(self) -> None:
        circuit = await self._circuits.get(self._backend)
        if circuit is None:
            return
        if circuit.state == "over":
            if circuit.reached:
                await self._send_circuit(circuit, "over")
            await self._circuits.delete(self._backend)
        elif self._is_notice_due(circuit):
            reached = await self._send_circuit(circuit, circuit.reason)
            await self._circuits.record_notice(circuit, reached=reached)
            await self._jobs.publish_queue()

    async def _send_about_second_bot(self) -> None:
        application_id = self._bot.application_id or 0
        found = await self._second_bot.get(application_id)
        if found is None:
            return
        notified_at = found.notified_at
        is_notified = notified_at is not None and found.last_at < notified_at + _DAY_SECONDS
        if is_notified or self._clock() > found.last_at + _DAY_SECONDS:
            return
        # The marker only changes after `record_notice` succeeds, so a repeated DM is recognised.
        marker = f"second-bot-{int(found.first_at):x}-{int(notified_at or 0):x}"
        await self._send("operator.second_bot", marker)
        await self._second_bot.record_notice(application_id)

    async def _send_about_hold(self, hold: HoldReason, held: list[Job]) -> None:
        last_notice = await self._holds.notice(hold)
        if last_notice is not None:
            if not held:
                if last_notice.reached:
                    marker = f"{hold}-over-{int(last_notice.since):x}"
                    await self._send(f"operator.{hold}_over", marker)
                await self._holds.delete_notice(hold)
            return
        since = min((job.held_since or 0.0 for job in held), default=None)
        # If the response to a create request is lost, the bot usually finds the job within minutes,
        # and the operator has nothing to do.
        pause = _OUTAGE_SECONDS if hold is HoldReason.TWIN else 0.0
        if since is None or self._clock() - since < pause:
            return
        others = ", ".join(sorted({job.backend for job in held}))
        reached = await self._send(f"operator.{hold}", f"{hold}-{int(since):x}", others=others)
        await self._holds.record_notice(HoldNotice(hold=hold, since=since, reached=reached))
        await self._jobs.publish_queue()

    async def _sleep(self, failures: int) -> None:
        if failures:
            # Without a bound on the exponent, the power would overflow after days without Discord.
            pause = _FIRST_RETRY_SECONDS * 2.0 ** min(failures, 10)
            await asyncio.sleep(min(pause, _SLOWEST_RETRY_SECONDS))
            return
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return

    def _is_notice_due(self, circuit: Circuit) -> bool:
        if not circuit.is_open or circuit.notified_reason is circuit.reason:
            return False
        if circuit.reason is not Trouble.OUTAGE:
            return True
        # An outage is reported once, and only after it has lasted for a while.
        has_lasted = self._clock() - circuit.opened_at >= _OUTAGE_SECONDS
        return circuit.notified_reason is None and has_lasted

    async def _send_circuit(self, circuit: Circuit, what: str) -> bool:
        prefix = self._backend.upper()
        return await self._send(
            f"operator.{what}",
            f"{self._backend}-{what}-{int(circuit.opened_at):x}",
            backend=self._backend,
            setting=f"{prefix}_API_KEY",
            address=f"{prefix}_BASE_URL",
        )

    async def _send(self, key: str, marker: str, **fields: object) -> bool:
        """Send a notice to every operator, and return whether at least one DM was accepted."""
        text = "\n".join(
            [
                self._texts(key, _LANGUAGE, **fields),
                self._texts("operator.marker", _LANGUAGE, marker=marker),
            ]
        )
        reached = 0
        for user_id in await self._fetch_operators():
            dm = DirectMessage(user_id=user_id, text=text, marker=marker)
            try:
                await self._direct_messages.send_message(dm)
            except DmRefusedError:
                log.warning("operator.unreachable user=%d about=%s", user_id, key)
            else:
                reached += 1
        log.info("operator.told about=%s people=%d", key, reached)
        return reached > 0

    async def _fetch_operators(self) -> list[int]:
        """Return the user ids of the app's owner, or of the admins and developers in its team."""
        try:
            return await fetch_owners(self._bot)
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise as_delivery_error(error) from error
