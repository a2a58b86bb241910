"""Raises a person's budget: through the running bot, or directly if the bot isn't running."""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

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


async def grant(settings: Settings, user_id: int, amount: str) -> str:
    """Let a person spend more this month, and return the sentence that reports it.

    Raises StartupError if `amount` is not an amount of dollars, if people have no budgets, or if a
    running bot uses the database and can't be reached.
    """
    micros = typed_amount(amount)
    if micros is None:
        raise StartupError(f"AMOUNT: {amount!a} is not an amount in US dollars: write 5 or 2.50.")
    await asyncio.to_thread(make_data_folder, settings.data_dir)
    try:
        spent, budget = await _grant_in_database(settings, user_id, micros)
    except DataInUseError:
        spent, budget = await _grant_through_bot(settings, user_id, micros)
    return f"Granted. This month's budget of {user_id} is now ${budget:.2f}; ${spent:.2f} is spent."


async def _grant_in_database(settings: Settings, user_id: int, micros: int) -> tuple[float, float]:
    async with open_database(settings.database) as database:
        budgeting = make_budgeting(
            settings,
            database,
            prices=Prices(),
            lengths=ClipLengths(usual=settings.video_seconds),
            clock=time.time,
        )
        try:
            raised = await budgeting.grant(user_id, micros, actor=None)
        except UserError as error:
            raise _no_budget() from error
    return raised.spent.amount, raised.budget.amount


async def _grant_through_bot(settings: Settings, user_id: int, micros: int) -> tuple[float, float]:
    order = f"{user_id}/{micros}"
    answer = await ask_running_bot(settings, f"{GRANT_PATH}{order}", subject=grant_subject(order))
    if answer.status == HTTPStatus.CONFLICT:
        raise _no_budget()
    if answer.status != HTTPStatus.OK:
        raise refused_by_bot(settings, answer.status)
    raised = json.loads(answer.text)
    return raised["spent"], raised["budget"]


def _no_budget() -> StartupError:
    return StartupError("BUDGET_PER_USER_MONTH is not set, so people have no budgets to raise.")
