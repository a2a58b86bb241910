"""The forms that a card's buttons open; one that was opened before a restart still counts."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import ui
from discord.ext import commands

from bot.client import answer
from bot.delivery.buttons import TEMPLATE, Action
from bot.errors import UserError
from bot.model import JobState
from bot.presets import MAX_PROMPT
from cogs._edge import answering
from cogs._fields import file_in, text_in, tick_in
from cogs._orders import find_narration, place, place_again
from cogs._rights import allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.client import Services, VideoBot
    from bot.model import Job

log = logging.getLogger(__name__)

_PROMPT, _AUDIO, _SURE = "prompt", "audio", "sure"
_TITLES = {
    Action.EDIT: "form.edit_title",
    Action.NARRATE: "form.narrate_title",
    Action.ATTACH: "form.attach_title",
    Action.DELETE: "form.delete_title",
}


async def open_form(interaction: discord.Interaction[VideoBot], job: Job, action: Action) -> None:
    """Show the form of a button; UserError: there is nothing to fill it in for."""
    services = interaction.client.services
    await _check(services, job, action)

    def say(key: str) -> str:
        return services.texts(key, str(interaction.locale))

    form = ui.Modal(title=say(_TITLES[action]), custom_id=f"clapper:{action}:{job.id}")
    for item in _ITEMS[action](job, say):
        form.add_item(item)
    # Nothing of it stays in discord.py's memory: what is sent comes to the listener below.
    form.stop()
    await interaction.response.send_modal(form)


async def _check(services: Services, job: Job, action: Action) -> None:
    match action:
        case Action.EDIT:
            await find_narration(services, job)
        case Action.NARRATE:
            await _need_video(services, job.id)
        case Action.ATTACH if job.clip_of is not None:
            await _need_video(services, job.clip_of)
        case Action.ATTACH:
            pass
        case _:
            if not job.state.is_final and not services.jobs.is_held(job):
                raise UserError("reply.still_open")


async def _need_video(services: Services, job_id: str) -> None:
    if not await services.workspace.has_video(job_id):
        raise UserError("reply.video_gone")


def _edit(job: Job, say: Callable[[str], str]) -> list[ui.Item[Any]]:
    hint = say("form.edit_hint_narrated" if job.attachment else "form.edit_hint")
    return [_prompt_field(job, say, hint)]


def _narrate(job: Job, say: Callable[[str], str]) -> list[ui.Item[Any]]:
    return [_audio_field(say, "form.narrate_hint_again" if job.attachment else "form.narrate_hint")]


def _attach(job: Job, say: Callable[[str], str]) -> list[ui.Item[Any]]:
    if job.clip_of is not None:
        return [_audio_field(say, "form.narrate_hint")]
    return [_prompt_field(job, say), _audio_field(say, "form.attach_hint")]


def _prompt_field(job: Job, say: Callable[[str], str], hint: str | None = None) -> ui.Item[Any]:
    prompt = ui.TextInput[Any](
        custom_id=_PROMPT,
        style=discord.TextStyle.paragraph,
        default=job.request.prompt,
        max_length=MAX_PROMPT,
    )
    return ui.Label(text=say("form.edit_prompt"), description=hint, component=prompt)


def _audio_field(say: Callable[[str], str], hint: str) -> ui.Item[Any]:
    audio = ui.FileUpload[Any](custom_id=_AUDIO, min_values=1, max_values=1)
    return ui.Label(text=say("form.narrate_audio"), description=say(hint), component=audio)


def _delete(job: Job, say: Callable[[str], str]) -> list[ui.Item[Any]]:
    sure = ui.Checkbox[Any](custom_id=_SURE)
    came_to_nothing = job.state in {JobState.FAILED, JobState.CANCELLED}
    return [
        ui.TextDisplay(say("form.delete_failed_text" if came_to_nothing else "form.delete_text")),
        ui.Label(text=say("form.delete_sure"), component=sure),
    ]


_ITEMS = {
    Action.EDIT: _edit,
    Action.NARRATE: _narrate,
    Action.ATTACH: _attach,
    Action.DELETE: _delete,
}


class FormsCog(commands.Cog):
    """Takes in the forms that were filled in, whenever they were opened."""

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Do what a form of ours says, or say why not."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        match = re.fullmatch(TEMPLATE, str((interaction.data or {}).get("custom_id")))
        if match is None:
            return
        async with answering(interaction):
            await self._take(interaction, Action(match["action"]), match["job"])

    async def _take(
        self, interaction: discord.Interaction[VideoBot], action: Action, job_id: str
    ) -> None:
        services = interaction.client.services
        job = allowed(interaction, await services.jobs.get(job_id), action)
        match action:
            case Action.EDIT:
                await place_again(interaction, job, text_in(interaction.data, _PROMPT))
            case Action.NARRATE:
                await _take_narration(interaction, job, job.id)
            case Action.ATTACH:
                await _take_narration(interaction, job, job.clip_of)
            case Action.DELETE if tick_in(interaction.data, _SURE):
                await _remove(interaction, job)
            case _:
                await answer(interaction, services.texts("reply.kept", str(interaction.locale)))


async def _take_narration(
    interaction: discord.Interaction[VideoBot], job: Job, clip_of: str | None
) -> None:
    """Place a job with the file of the form, for a finished video or for a new one."""
    services = interaction.client.services
    audio = file_in(interaction.data, _AUDIO)
    if audio is None:
        raise UserError("audio.missing")
    services.presets.check_audio(audio.size)
    if clip_of is None:
        request = services.presets.request(text_in(interaction.data, _PROMPT))
    else:
        await _need_video(services, clip_of)
        request = job.request
    await place(interaction, request, audio, clip_of=clip_of)


async def _remove(interaction: discord.Interaction[VideoBot], job: Job) -> None:
    services = interaction.client.services
    await services.jobs.discard(job.id)
    if not await services.keeper.mark_deleted(job.id):
        raise UserError("reply.still_open")
    # Answered here: files may take longer to go than Discord waits.
    await interaction.response.defer()
    await services.keeper.erase(job.id)
    try:
        await interaction.delete_original_response()
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        # The button stays, and works again; a message that is gone already is none the worse.
        log.warning("card.undeleted id=%s error=%s", job.id, type(error).__name__)


async def setup(bot: VideoBot) -> None:
    """Add the cog."""
    await bot.add_cog(FormsCog())
