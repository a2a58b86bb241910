"""Asks Discord which people own the application."""

from __future__ import annotations

import discord

_ROLES = frozenset({discord.TeamMemberRole.admin, discord.TeamMemberRole.developer})


async def fetch_owners(bot: discord.Client) -> list[int]:
    """Return the user ids of the people who own the application.

    If a team owns the application, these are the team's owner, admins and developers. Members who
    may only read are left out.
    """
    application = await bot.application_info()
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
