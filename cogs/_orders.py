"""Handles orders for videos: checks the order, stores the job and posts its card."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from bot.artifacts import NO_VOICE
from bot.delivery.views.voice_view import render_question
from bot.errors import UserError
from bot.model import Attachment, Origin
from cogs._answers import OrderAnswer
from cogs.access.places import place_of
from storage.speeches import SpeechRequester

if TYPE_CHECKING:
    from bot.discord_bot.bot import Services, VideoBot
    from bot.jobs.admission import JobSources
    from bot.model import Job, VideoRequest
    from bot.moderation.access.place import OrderPlace

log = logging.getLogger(__name__)

# An interaction's token is valid for this time. It is counted from the interaction's arrival,
# because Discord's clock may differ from this machine's clock.
_TOKEN_SECONDS = 15 * 60.0


async def place(
    interaction: discord.Interaction[VideoBot],
    request: VideoRequest,
    attachment: Attachment | None,
    *,
    narration_of: str | None = None,
    clip_of: str | None = None,
) -> None:
    """Store a job, and respond to the interaction with the job's card.

    `narration_of`: the id of the job whose stored narration is used.
    `clip_of`: the id of the job whose finished video gets the narration.

    Raises UserError if the order is refused.
    """
    if not interaction.client.arrivals.claim(interaction):
        log.warning("interaction.repeated id=%d", interaction.id)
        return
    services, origin = interaction.client.services, origin_of(interaction)
    voice = await services.voice_permissions.of_person(
        interaction.user.id, attachment, clip_of=clip_of
    )
    if voice is None and attachment is not None:
        await _ask_about_voice(interaction, request, attachment, narration_of=narration_of)
        return
    sources: JobSources = {"narration_of": narration_of, "clip_of": clip_of}
    sources["voice"] = voice or NO_VOICE
    draft = services.jobs.draft(request, origin, attachment, **sources)
    sources["job_id"] = draft.id

    async def store(message_id: int | None) -> Job | None:
        place = await place_of(interaction)
        if attachment is not None and attachment.text is not None and narration_of is None:
            await _count_speech(interaction, attachment.text, place)
        requester = replace(origin, message_id=message_id)
        return await services.jobs.submit(request, requester, attachment, place=place, **sources)

    await OrderAnswer(interaction, draft).give(store)


async def _ask_about_voice(
    interaction: discord.Interaction[VideoBot],
    request: VideoRequest,
    attachment: Attachment,
    *,
    narration_of: str | None,
) -> None:
    """Ask whether the video service may hear the person's voice. The order waits for the answer.

    Raises UserError if the order would be refused anyway.
    """
    client, services = interaction.client, interaction.client.services
    services.jobs.draft(request, origin_of(interaction), attachment)
    await services.gate.check(await place_of(interaction))
    service = services.voice_permissions.asked_service
    assert service is not None  # noqa: S101 - otherwise, the person is not asked
    client.pending_orders.add(interaction, request, attachment, narration_of=narration_of)
    await interaction.response.send_message(
        view=render_question(
            services.texts, str(interaction.locale), service, order=interaction.id
        ),
        ephemeral=True,
        allowed_mentions=discord.AllowedMentions.none(),
    )


async def place_again(interaction: discord.Interaction[VideoBot], job: Job, prompt: str) -> None:
    """Order a new video with this prompt, the narration of `job` and the current presets.

    Raises UserError if the prompt is invalid, the narration is no longer kept, or a limit is
    reached.
    """
    services = interaction.client.services
    source = await find_narration(services, job)
    attachment = replace(job.attachment, url=None) if job.attachment else None
    request = services.presets.request(prompt)
    await place(interaction, request, attachment, narration_of=source)


async def find_narration(services: Services, job: Job) -> str | None:
    """Return the id of the job under which the narration of `job` is stored.

    Returns None if `job` has no narration, or if its narration is a text that can be read aloud
    again.

    Raises UserError if the narration is no longer kept.
    """
    if job.attachment is None:
        return None
    # A job that ended early has not stored its narration. The narration may have been stored by an
    # older job, to which this job then refers.
    for source in (job.id, job.narration_of):
        if source is not None and await services.workspace.has_narration(source):
            return source
    if job.attachment.text is not None and services.narrator is not None:
        return None
    raise UserError("audio.not_kept")


async def _count_speech(
    interaction: discord.Interaction[VideoBot], text: str, place: OrderPlace
) -> None:
    narrator = interaction.client.services.narrator
    if narrator is None:
        raise UserError("speech.off")
    # If Discord sends the interaction twice, the text is only counted once. `submit` notices the
    # repetition later.
    requester = SpeechRequester(user_id=interaction.user.id, interaction_id=interaction.id)
    await narrator.count(requester, text, place=place)


def origin_of(interaction: discord.Interaction[VideoBot]) -> Origin:
    """Return the origin of a job that this interaction orders."""
    bot_can_edit, unproven = _bot_access(interaction)
    member = interaction.user if isinstance(interaction.user, discord.Member) else None
    return Origin(
        interaction_id=interaction.id,
        application_id=interaction.application_id,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        locale=str(interaction.locale),
        token=interaction.token,
        token_until=interaction.client.services.clock() + _TOKEN_SECONDS,
        upload_limit=interaction.filesize_limit,
        bot_can_edit=bot_can_edit,
        bot_access_unproven=unproven,
        role_ids=frozenset(role.id for role in member.roles) if member else frozenset(),
        is_booster=member is not None and member.premium_since is not None,
    )


def _bot_access(interaction: discord.Interaction[VideoBot]) -> tuple[bool, bool]:
    """Tell whether the bot itself may edit the card, and whether that is in doubt.

    If it is in doubt, only an attempt to edit the card can show whether the bot may do so.

    The permissions in an interaction only apply to the channel. They don't show whether the bot is
    in a private thread, may connect to a voice channel, or is in the server at all.
    """
    if interaction.guild_id is None:
        return not interaction.context.private_channel, False
    channel, permissions = interaction.channel, interaction.app_permissions
    in_thread = isinstance(channel, discord.Thread)
    is_installed = interaction.is_guild_integration()
    is_member = interaction.client.get_guild(interaction.guild_id) is not None
    bot_can_edit = (
        (is_installed or is_member)
        and permissions.view_channel
        and (permissions.send_messages_in_threads or not in_thread)
    )
    in_doubt = is_installed != is_member or not isinstance(channel, discord.TextChannel)
    return bot_can_edit, bot_can_edit and in_doubt
