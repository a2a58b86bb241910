"""Finds out in which servers a person is a member, without the privileged intent for members."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

import discord

from bot.moderation.access.place import Membership

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.moderation.access.place import Reach

log = logging.getLogger(__name__)

# All requests together may take this long. An interaction expires if it gets no response within 3
# seconds.
_SECONDS = 1.5
_MAX_SERVERS = 10
_MAX_KNOWN = 1000
_KNOWN_SECONDS = 600.0
# A result without servers expires sooner, so that people who have just joined a server can soon use
# the bot. It is still cached, so that the commands of non-members cause few requests.
_STRANGER_SECONDS = 60.0

Memberships = tuple[Membership, ...]


class MembershipFinder:
    """Asks Discord which servers a person is in, and caches each result for ten minutes.

    At most ten servers are asked: those in `allowed_servers` or, if there are none, the bot's
    oldest servers.
    """

    def __init__(self, reach: Reach, *, clock: Callable[[], float]) -> None:
        self._reach = reach
        self._clock = clock
        self._known: OrderedDict[int, tuple[Memberships, float]] = OrderedDict()
        self._asking: dict[int, asyncio.Task[Memberships]] = {}

    async def of(self, client: discord.Client, user_id: int) -> Memberships:
        """Return the allowed servers in which the person is a member, oldest server first.

        Servers that don't respond in time are left out.
        """
        known = self._known.get(user_id)
        if known is not None and known[1] > self._clock():
            return known[0]
        # If one person sends several commands at the same time, Discord is asked only once.
        task = self._asking.get(user_id)
        if task is None:
            task = asyncio.create_task(self._find(client, user_id), name="memberships")
            self._asking[user_id] = task
            task.add_done_callback(lambda _task: self._asking.pop(user_id, None))
        return await asyncio.shield(task)

    async def _find(self, client: discord.Client, user_id: int) -> Memberships:
        servers = self._candidates(client.guilds)
        requests = [asyncio.ensure_future(_ask(server, user_id)) for server in servers]
        if requests:
            _, late = await asyncio.wait(requests, timeout=_SECONDS)
            for request in late:
                request.cancel()
        answers = await asyncio.gather(*requests, return_exceptions=True)
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        if errors:
            log.warning("membership.unknown user=%d error=%s", user_id, type(errors[0]).__name__)
        found = tuple(answer for answer in answers if isinstance(answer, Membership))
        self._keep(user_id, found, _KNOWN_SECONDS if found and not errors else _STRANGER_SECONDS)
        return found

    def _keep(self, user_id: int, found: Memberships, seconds: float) -> None:
        self._known[user_id] = (found, self._clock() + seconds)
        self._known.move_to_end(user_id)
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)

    def _candidates(self, servers: Iterable[discord.Guild]) -> list[discord.Guild]:
        allowed = [server for server in servers if self._reach.allows_server(server.id)]
        return sorted(allowed, key=lambda server: server.id)[:_MAX_SERVERS]


async def _ask(server: discord.Guild, user_id: int) -> Membership | None:
    try:
        member = await server.fetch_member(user_id)
    except discord.NotFound:
        return None
    return Membership(
        server_id=server.id,
        role_ids=frozenset(role.id for role in member.roles),
        is_booster=member.premium_since is not None,
    )
