"""Changes an access setting: through the running bot, or directly if the bot isn't running."""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from bot.commands.running_bot import ask_running_bot, refused_by_bot
from bot.web.operator_routes import ACCESS_PATH, access_subject
from storage.access.changes import change_text
from storage.access.settings import AccessSettingsStore, Outcome
from storage.database import open_database
from storage.files.data_folder import DataInUseError, make_data_folder

if TYPE_CHECKING:
    from bot.settings.fields import Settings
    from storage.access.settings import Change


async def change_access(settings: Settings, change: Change) -> Outcome:
    """Change an access setting.

    Raises StartupError if the bot is running but can't be reached.
    """
    await asyncio.to_thread(make_data_folder, settings.data_dir)
    try:
        async with open_database(settings.database) as database:
            store = AccessSettingsStore(database)
            return await store.change(change, actor=None, now=time.time())
    except DataInUseError:
        return await _change_through_bot(settings, change)


async def _change_through_bot(settings: Settings, change: Change) -> Outcome:
    body = change_text(change)
    answer = await ask_running_bot(settings, ACCESS_PATH, subject=access_subject(body), body=body)
    if answer.status != HTTPStatus.OK:
        raise refused_by_bot(settings, answer.status)
    return Outcome[json.loads(answer.text)["outcome"]]
