"""Who may do what to a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.views.button_ids import Action
from bot.errors import UserError
from bot.model import JobState

if TYPE_CHECKING:
    import discord

    from bot.discord_bot.bot import VideoBot
    from bot.model import Job

# Whoever keeps a channel tidy may stop and remove what stands there, but not spend for somebody.
_FOR_MODERATORS = frozenset({Action.CANCEL, Action.DELETE})


def allowed(interaction: discord.Interaction[VideoBot], job: Job | None, action: Action) -> Job:
    """Return the job, if this person may do this to it.

    UserError: they may not, or there is nothing left to do it to.
    """
    # An id can be forged: what a client of the API asked for has no card.
    if job is None or job.client is not None:
        raise UserError("reply.too_late")
    # The card of a job that nobody knows the state of may still have its Cancel: that gives it up.
    gives_up = action is Action.CANCEL and job.state is JobState.UNDECIDED
    shared = action in _FOR_MODERATORS and not gives_up
    if interaction.user.id != job.origin.user_id and not (shared and _moderates(interaction, job)):
        raise UserError("reply.not_yours_to_remove" if shared else "reply.not_yours")
    if job.deleted_at is not None and action is not Action.DELETE:
        raise UserError("reply.deleted")
    return job


def _moderates(interaction: discord.Interaction[VideoBot], job: Job) -> bool:
    # An id can be forged, and their right is about the channel in which they press.
    is_here = interaction.channel_id == job.origin.channel_id
    return is_here and interaction.permissions.manage_messages
