"""DMs to the operator: the provider accepts no jobs, jobs are on hold, or a second bot runs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.card_edits import later
from bot.delivery.dm import DirectMessage, DmRefusedError
from bot.errors import DeliveryError
from bot.model import HoldReason, Trouble
from storage.jobs.holds import HoldNotice

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.delivery.dm import DirectMessages
    from bot.delivery.second_bot import SecondBotWatch
    from bot.jobs.service import JobService
    from bot.model import Job, JobChanged
    from bot.texts import Texts
    from storage.jobs.circuits import Circuit, CircuitStore
    from storage.jobs.holds import HoldStore

log = logging.getLogger(__name__)

# Most outages are a restart of the provider, and need no action.
_OUTAGE_SECONDS = 120.0
_LOOK_SECONDS = 30.0
_FIRST_RETRY_SECONDS = 10.0
_SLOWEST_RETRY_SECONDS = 600.0
_DAY_SECONDS = 24 * 60 * 60.0
_ROLES = frozenset({discord.TeamMemberRole.admin, discord.TeamMemberRole.developer})


class OperatorNotices:
    """Sends DMs to the application's owner or team about the circuit, and about jobs on hold.

    The notices that were sent are recorded, and each DM contains a marker, so that a restart
    repeats nothing.
    """

    def __init__(
        self,
        *,
        client: discord.Client,
        circuits: CircuitStore,
        holds: HoldStore,
        direct_messages: DirectMessages,
        second_bot: SecondBotWatch,
        jobs: JobService,
        texts: Texts,
        backend: str,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._circuits = circuits
        self._holds = holds
        self._direct_messages = direct_messages
        self._second_bot = second_bot
        self._jobs = jobs
        self._texts = texts
        self._backend = backend
        self._clock = clock
        self._changed = asyncio.Event()
        self._has_held = False

    def on_job_changed(self, event: JobChanged) -> None:
        """Wake `run` if an event of the bus may concern the circuit or a hold."""
        may_end_hold = self._has_held and event.job.state is not event.previous
        if event.outlook or event.job.hold is not None or may_end_hold:
            self._changed.set()

    async def run(self) -> None:
        """Send notices when they are due, until cancelled; the client has to be logged in."""
        failures = 0
        while True:
            self._changed.clear()
            try:
                await self.send_due()
                failures = 0
            except (DeliveryError, sqlite3.Error) as error:
                failures += 1
                log.warning("operator.untold error=%r", str(error))
            await self._sleep(failures)

    async def send_due(self) -> None:
        """Send the notices that are due now; DeliveryError: it may work later."""
        await self._send_about_circuit()
        await self._send_about_second_bot()
        held = await self._holds.held()
        self._has_held = bool(held)
        for hold in HoldReason:
            await self._send_about_hold(hold, [job for job in held if job.hold is hold])

    async def _send_about_circuit(self) -> None:
        circuit = await self._circuits.get(self._backend)
        if circuit is None:
            return
        if circuit.state == "over":
            if circuit.reached:
                await self._send_circuit(circuit, "over")
            await self._circuits.delete(self._backend)
        elif self._is_news(circuit):
            reached = await self._send_circuit(circuit, circuit.reason)
            await self._circuits.tell(circuit, reached=reached)
            await self._jobs.publish_queue()

    async def _send_about_second_bot(self) -> None:
        application_id = self._client.application_id or 0
        found = await self._second_bot.get(application_id)
        if found is None:
            return
        told_at = found.told_at
        is_told = told_at is not None and found.last_at < told_at + _DAY_SECONDS
        if is_told or self._clock() > found.last_at + _DAY_SECONDS:
            return
        # The marker stays the same until `tell` is stored.
        marker = f"second-bot-{int(found.first_at):x}-{int(told_at or 0):x}"
        await self._send("operator.second_bot", marker)
        await self._second_bot.tell(application_id)

    async def _send_about_hold(self, hold: HoldReason, held: list[Job]) -> None:
        told = await self._holds.notice(hold)
        if told is not None:
            if not held:
                if told.reached:
                    await self._send(f"operator.{hold}_over", f"{hold}-over-{int(told.since):x}")
                await self._holds.delete_notice(hold)
            return
        since = min((job.held_since or 0.0 for job in held), default=None)
        # A create is usually confirmed within minutes, without the operator.
        pause = _OUTAGE_SECONDS if hold is HoldReason.TWIN else 0.0
        if since is None or self._clock() - since < pause:
            return
        others = ", ".join(sorted({job.backend for job in held}))
        reached = await self._send(f"operator.{hold}", f"{hold}-{int(since):x}", others=others)
        await self._holds.tell(HoldNotice(hold=hold, since=since, reached=reached))
        await self._jobs.publish_queue()

    async def _sleep(self, failures: int) -> None:
        if failures:
            # The exponent is bounded because Discord may be down for days.
            pause = _FIRST_RETRY_SECONDS * 2.0 ** min(failures, 10)
            await asyncio.sleep(min(pause, _SLOWEST_RETRY_SECONDS))
            return
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return

    def _is_news(self, circuit: Circuit) -> bool:
        if not circuit.is_open or circuit.told is circuit.reason:
            return False
        if circuit.reason is not Trouble.OUTAGE:
            return True
        # The operator already has a notice about this circuit, or a short outage may end soon.
        return circuit.told is None and self._clock() - circuit.opened_at >= _OUTAGE_SECONDS

    async def _send_circuit(self, circuit: Circuit, what: str) -> bool:
        prefix = self._backend.upper()
        return await self._send(
            f"operator.{what}",
            f"{self._backend}-{what}-{int(circuit.opened_at):x}",
            backend=self._backend,
            setting=f"{prefix}_API_KEY",
            address=f"{prefix}_BASE_URL",
        )

    async def _send(self, key: str, marker: str, **fields: str) -> bool:
        """Send a notice to every operator; False: none of them accepts DMs."""
        text = "\n".join(
            [
                self._texts(key, **fields),
                self._texts("operator.marker", marker=marker),
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
        """Return the ids of the application's owner, or of its team's admins and developers."""
        try:
            application = await self._client.application_info()
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise later(error) from error
        team = application.team
        if team is None:
            return [application.owner.id]
        return [
            member.id
            for member in team.members
            if member.id == team.owner_id
            or (
                member.role in _ROLES
                and member.membership_state is discord.TeamMembershipState.accepted
            )
        ]
