"""Lets processes with one PostgreSQL database know of each other, and compares their settings."""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import SecretStr

from bot.jobs.leases.heartbeat import Heartbeat
from bot.jobs.leases.shared_settings import digest_of
from bot.links import derive_key
from bot.runtime.roles.role import Role
from storage.postgres.schema import newest
from storage.workers.table import WorkerState, WorkerTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings

_PRESETS = ("video_model", "video_seconds", "video_seconds_max", "video_lengths", "video_size")
_OF_BACKEND = {
    "storyboard": ("storyboard_url",),
    "openai": ("openai_base_url", "openai_api_key", "openai_body", "openai_extra"),
    "openrouter": ("openrouter_base_url", "openrouter_api_key"),
    "gemini": ("gemini_base_url", "gemini_api_key"),
}
_STORE = ("store_url", "store_endpoint", "store_region")


async def begin_heartbeat(resources: Resources, stack: AsyncExitStack, role: Role) -> Heartbeat:
    """Record this process in the database."""
    database = resources.database
    table = WorkerTable(database, clock=database.wall)
    schema = await asyncio.to_thread(newest)
    shared = {**shared_settings(resources.settings), "schema": str(schema)}
    worker = WorkerState(
        id=uuid4().hex,
        schema=schema,
        digest=digest_of(shared, key=derive_key(resources.secret, "workers")),
        desk_since=None,
        role=role,
        host=platform.node(),
    )
    heartbeat = Heartbeat(table, worker, steady=resources.clock.steady)
    if role is Role.ALL:
        heartbeat.become_desk(now=database.wall())
    await table.sweep()
    await heartbeat.beat()
    stack.push_async_callback(heartbeat.leave)
    return heartbeat


def shared_settings(settings: Settings) -> Mapping[str, str]:
    """Return the values of the settings that have to be the same in all processes."""
    names = ("video_backend", *_OF_BACKEND[settings.video_backend], *_PRESETS, *_STORE)
    values = {name: getattr(settings, name) for name in names}
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }
