"""Checks which actions a person may take on a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.views.button_ids import Action
from bot.errors import UserError
from bot.model import JobState

if TYPE_CHECKING:
    import discord

    from bot.discord_bot.bot import VideoBot
    from bot.model import Job

# Moderators may stop jobs and delete cards in their channels, but not spend other people's money.
_FOR_MODERATORS = frozenset({Action.CANCEL, Action.DELETE})


def require_permission(
    interaction: discord.Interaction[VideoBot], job: Job | None, action: Action
) -> Job:
    """Return the job if the person who pressed the button may take this action.

    Raises UserError if they may not, or if the job no longer exists.
    """
    # Jobs of API clients have no card, so a button with the id of such a job is forged.
    if job is None or job.client is not None:
        raise UserError("reply.unknown")
    # An undecided job may still have an old card, on which the button "Cancel" means "Give up".
    gives_up = action is Action.CANCEL and job.state is JobState.UNDECIDED
    shared = action in _FOR_MODERATORS and not gives_up
    if interaction.user.id != job.origin.user_id and not (shared and _moderates(interaction, job)):
        raise UserError("reply.not_yours_to_remove" if shared else "reply.not_yours")
    if job.deleted_at is not None and action is not Action.DELETE:
        raise UserError("reply.deleted")
    return job


def _moderates(interaction: discord.Interaction[VideoBot], job: Job) -> bool:
    # The job's id may be forged. A moderator's permission therefore applies only to jobs whose card
    # is in the same channel.
    is_here = interaction.channel_id == job.origin.channel_id
    return is_here and interaction.permissions.manage_messages
