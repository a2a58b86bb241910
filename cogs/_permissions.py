"""Permissions: which actions a person may take on a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.views.button_ids import Action
from bot.errors import UserError
from bot.model import JobState

if TYPE_CHECKING:
    import discord

    from bot.discord_bot.bot import VideoBot
    from bot.model import Job

# Moderators may stop jobs and remove cards in their channel, but not spend others' money.
_FOR_MODERATORS = frozenset({Action.CANCEL, Action.DELETE})


def require_permission(
    interaction: discord.Interaction[VideoBot], job: Job | None, action: Action
) -> Job:
    """Return the job if the person who pressed the button may take this action.

    UserError: the person may not, or the job no longer exists.
    """
    # A button with the id of an API client's job is forged: such jobs have no card.
    if job is None or job.client is not None:
        raise UserError("reply.unknown")
    # On an old card of an undecided job, the button "Cancel" means "Give up".
    gives_up = action is Action.CANCEL and job.state is JobState.UNDECIDED
    shared = action in _FOR_MODERATORS and not gives_up
    if interaction.user.id != job.origin.user_id and not (shared and _moderates(interaction, job)):
        raise UserError("reply.not_yours_to_remove" if shared else "reply.not_yours")
    if job.deleted_at is not None and action is not Action.DELETE:
        raise UserError("reply.deleted")
    return job


def _moderates(interaction: discord.Interaction[VideoBot], job: Job) -> bool:
    # The job's id may be forged, so a moderator's permission applies only in the job's own channel.
    is_here = interaction.channel_id == job.origin.channel_id
    return is_here and interaction.permissions.manage_messages
