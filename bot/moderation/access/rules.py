"""Applies the rules of one scope: in which channels, and with which roles, people may order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import UserError
from storage.access.settings import EVERYWHERE, Rule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.moderation.access.place import Membership, OrderPlace
    from storage.access.settings import AccessSettings

# The maximum number of channels or roles that one sentence names.
_MAX_NAMED = 5


def refusal_by(
    settings: AccessSettings, place: OrderPlace, member: Membership | None, *, scope: int
) -> UserError | None:
    """Return the reason why the settings of a scope refuse an order, or None if they don't.

    `member`: the requester's membership in the server that the order counts towards.
    An order from outside all servers has no channel. It is refused if only some channels are
    allowed.
    """
    if settings.person is Rule.DENY:
        return UserError("access.blocked_everywhere" if scope == EVERYWHERE else "access.blocked")
    return (
        _refusal_of_channel(settings, place, scope=scope)
        or _refusal_of_roles(settings, member.role_ids if member else frozenset())
        or _refusal_of_age(settings, place)
    )


def _refusal_of_channel(
    settings: AccessSettings, place: OrderPlace, *, scope: int
) -> UserError | None:
    channels = settings.channels
    # The rule of a thread takes precedence over that of its channel, and the rule of a channel over
    # that of its category.
    rule = next((channels[each] for each in place.channel_ids if each in channels), None)
    allowed = [channel for channel, each in channels.items() if each is Rule.ALLOW]
    if rule is Rule.ALLOW or (rule is None and not allowed):
        return None
    # The operator's rules may name channels of other servers, which are not shown to people.
    if not allowed or scope == EVERYWHERE:
        return UserError("access.channel")
    return UserError("access.other_channels", channels=_named("#", allowed))


def _refusal_of_roles(settings: AccessSettings, role_ids: Collection[int]) -> UserError | None:
    rules = settings.roles
    denied = [role for role in role_ids if rules.get(role) is Rule.DENY]
    if denied:
        return UserError("access.role", roles=_named("@&", denied))
    allowed = [role for role, rule in rules.items() if rule is Rule.ALLOW]
    if allowed and not set(allowed) & set(role_ids):
        return UserError("access.other_roles", roles=_named("@&", allowed))
    return None


def _refusal_of_age(settings: AccessSettings, place: OrderPlace) -> UserError | None:
    if settings.needs_age_restriction and not place.is_age_restricted:
        return UserError("access.age")
    return None


def _named(sign: str, ids: Iterable[int]) -> str:
    return ", ".join(f"<{sign}{each}>" for each in sorted(ids)[:_MAX_NAMED])
