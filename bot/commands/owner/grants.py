"""Raises a person's budget: through the running bot, or directly if the bot isn't running."""

from __future__ import annotations

import asyncio
import json
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.commands.running_bot import ask_running_bot, refused_by_bot
from bot.errors import StartupError, UserError
from bot.jobs.costs.amounts import typed_amount
from bot.jobs.costs.prices import Prices
from bot.presets import ClipLengths
from bot.runtime.costs import make_budgeting
from bot.web.operator_routes import GRANT_PATH, grant_subject
from storage.database import open_database
from storage.files.data_folder import DataInUseError, make_data_folder

if TYPE_CHECKING:
    from bot.settings.fields import Settings


_GRANT_ID = re.compile(r"[0-9a-f]{32}")


async def grant(settings: Settings, user_id: int, amount: str, grant_id: str | None = None) -> str:
    """Let a person spend more this month, and return the sentence that reports it.

    `grant_id`: the id of a grant that is repeated, or None for a new grant. A grant counts once.

    Raises StartupError if `amount` is not an amount of dollars, if people have no budgets, if
    `grant_id` belongs to another grant, or if a running bot uses the database and can't be reached.
    """
    micros = typed_amount(amount)
    if micros is None:
        raise StartupError(f"AMOUNT: {amount!a} is not an amount in US dollars: write 5 or 2.50.")
    grant_id = grant_id or uuid4().hex
    if not _GRANT_ID.fullmatch(grant_id):
        raise StartupError(f"--id: {grant_id!a} is not the id of a grant: copy all 32 characters.")
    await asyncio.to_thread(make_data_folder, settings.data_dir)
    try:
        spent, budget = await _grant_in_database(settings, user_id, micros, grant_id)
    except DataInUseError:
        spent, budget = await _grant_through_bot(settings, user_id, micros, grant_id)
    return f"Granted. This month's budget of {user_id} is now ${budget:.2f}; ${spent:.2f} is spent."


async def _grant_in_database(
    settings: Settings, user_id: int, micros: int, grant_id: str
) -> tuple[float, float]:
    async with open_database(settings.database) as database:
        budgeting = make_budgeting(
            settings,
            database,
            prices=Prices(),
            lengths=ClipLengths(usual=settings.video_seconds),
            clock=time.time,
        )
        try:
            raised = await budgeting.grant(user_id, micros, grant_id=grant_id, actor=None)
        except UserError as error:
            raise _refused(error.key) from error
    return raised.spent.amount, raised.budget.amount


async def _grant_through_bot(
    settings: Settings, user_id: int, micros: int, grant_id: str
) -> tuple[float, float]:
    order = f"{user_id}/{micros}/{grant_id}"
    path, subject = f"{GRANT_PATH}{order}", grant_subject(order)
    try:
        answer = await ask_running_bot(settings, path, subject=subject)
    except StartupError as error:
        # The bot may have stored the grant although its response did not arrive.
        raise StartupError(f"{error} Then repeat the command with --id {grant_id}.") from error
    if answer.status == HTTPStatus.CONFLICT:
        raise _refused(answer.text)
    if answer.status != HTTPStatus.OK:
        raise refused_by_bot(settings, answer.status)
    raised = json.loads(answer.text)
    return raised["spent"], raised["budget"]


def _refused(key: str) -> StartupError:
    if key == "budget.other_grant":
        return StartupError("--id: this id belongs to another grant; leave the option out.")
    return StartupError("BUDGET_PER_USER_MONTH is not set, so people have no budgets to raise.")
