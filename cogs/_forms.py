"""Opens the forms of a card's buttons, and handles their submission.

A form can still be submitted after a restart.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import ui

from bot.delivery.views.button_ids import TEMPLATE, Action
from bot.discord_bot.audio_uploads import AudioPicker
from bot.discord_bot.replies import reply_privately
from bot.errors import UserError
from bot.model import JobState, text_attachment
from bot.presets import MAX_PROMPT
from bot.speech.voice import MAX_TEXT, checked_text
from cogs._form_values import file_in, is_ticked, text_in
from cogs._orders import find_narration, place, place_again
from cogs._permissions import require_permission
from cogs.access.places import place_of

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from bot.discord_bot.bot import Services, VideoBot
    from bot.model import Attachment, Job

log = logging.getLogger(__name__)

_PROMPT, _AUDIO, _TEXT, _SURE = "prompt", "audio", "text", "sure"
_TITLES = {
    Action.EDIT: "form.edit_title",
    Action.NARRATE: "form.narrate_title",
    Action.ATTACH: "form.attach_title",
    Action.DELETE: "form.delete_title",
}


async def open_form(interaction: discord.Interaction[VideoBot], job: Job, action: Action) -> None:
    """Open the form of a button.

    Raises UserError if the action is not possible for this job.
    """
    services = interaction.client.services
    if action is not Action.DELETE:
        await services.gate.check(await place_of(interaction))
    await _check(services, job, action)

    def say(key: str) -> str:
        return services.texts(key, str(interaction.locale))

    form = ui.Modal(title=say(_TITLES[action]), custom_id=f"clapper:{action}:{job.id}")
    for item in _items(services, job, action, say):
        form.add_item(item)
    # Stop the form, because discord.py would keep it in memory. Submissions are handled by
    # `_submit` below.
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
            if not job.state.is_final and not services.jobs.is_delivery_postponed(job):
                raise UserError("reply.still_open")


async def _need_video(services: Services, job_id: str) -> None:
    if not await services.workspace.has_video(job_id):
        raise UserError("reply.video_gone")


def _edit(job: Job, say: Callable[[str], str]) -> list[ui.Item[Any]]:
    hint = say("form.edit_hint_narrated" if job.attachment else "form.edit_hint")
    return [_prompt_field(job, say, hint)]


def _narrate(job: Job, say: Callable[[str], str], *, speaks: bool) -> list[ui.Item[Any]]:
    hint = "form.narrate_hint_again" if job.attachment else "form.narrate_hint"
    return _sources(say, hint, speaks=speaks)


def _attach(job: Job, say: Callable[[str], str], *, speaks: bool) -> list[ui.Item[Any]]:
    if job.clip_of is not None:
        return _sources(say, "form.narrate_hint", speaks=speaks)
    return [_prompt_field(job, say), *_sources(say, "form.attach_hint", speaks=speaks)]


def _sources(say: Callable[[str], str], hint: str, *, speaks: bool) -> list[ui.Item[Any]]:
    """Return the field for an audio file and, if texts can be read aloud, the field for a text."""
    audio = _audio_field(say, hint, required=not speaks)
    return [audio, _text_field(say)] if speaks else [audio]


def _prompt_field(job: Job, say: Callable[[str], str], hint: str | None = None) -> ui.Item[Any]:
    prompt = ui.TextInput[Any](
        custom_id=_PROMPT,
        style=discord.TextStyle.paragraph,
        default=job.request.prompt,
        max_length=MAX_PROMPT,
    )
    return ui.Label(text=say("form.edit_prompt"), description=hint, component=prompt)


def _audio_field(say: Callable[[str], str], hint: str, *, required: bool = True) -> ui.Item[Any]:
    audio = AudioPicker(custom_id=_AUDIO, required=required, min_values=int(required), max_values=1)
    return ui.Label(text=say("form.narrate_audio"), description=say(hint), component=audio)


def _text_field(say: Callable[[str], str]) -> ui.Item[Any]:
    text = ui.TextInput[Any](
        custom_id=_TEXT,
        style=discord.TextStyle.paragraph,
        required=False,
        max_length=MAX_TEXT,
    )
    hint = say("form.narrate_text_hint")
    return ui.Label[Any](text=say("form.narrate_text"), description=hint, component=text)


def _delete(job: Job, say: Callable[[str], str]) -> list[ui.Item[Any]]:
    sure = ui.Checkbox[Any](custom_id=_SURE)
    has_no_video = job.state in {JobState.FAILED, JobState.CANCELLED}
    return [
        ui.TextDisplay(say("form.delete_failed_text" if has_no_video else "form.delete_text")),
        ui.Label(text=say("form.delete_sure"), component=sure),
    ]


def _items(
    services: Services, job: Job, action: Action, say: Callable[[str], str]
) -> list[ui.Item[Any]]:
    speaks = services.narrator is not None
    match action:
        case Action.EDIT:
            return _edit(job, say)
        case Action.NARRATE:
            return _narrate(job, say, speaks=speaks)
        case Action.ATTACH:
            return _attach(job, say, speaks=speaks)
        case _:
            return _delete(job, say)


async def _submit(interaction: discord.Interaction[VideoBot], match: re.Match[str]) -> None:
    """Handle the submission of a card's form."""
    services, action = interaction.client.services, Action(match["action"])
    job = require_permission(interaction, await services.jobs.get(match["job"]), action)
    match action:
        case Action.EDIT:
            await place_again(interaction, job, text_in(interaction.data, _PROMPT))
        case Action.NARRATE:
            await _submit_narration(interaction, job, job.id)
        case Action.ATTACH:
            await _submit_narration(interaction, job, job.clip_of)
        case Action.DELETE if is_ticked(interaction.data, _SURE):
            await _delete_job(interaction, job)
        case _:
            await reply_privately(
                interaction, services.texts("reply.kept", str(interaction.locale))
            )


async def _submit_narration(
    interaction: discord.Interaction[VideoBot], job: Job, clip_of: str | None
) -> None:
    """Order a video with the narration from the form.

    `clip_of`: the id of the job whose finished video gets the narration. If it is None, the
    narration is added to a new video.
    """
    services = interaction.client.services
    narration = _narration_in(interaction.data, services)
    if clip_of is None:
        request = services.presets.request(text_in(interaction.data, _PROMPT))
    else:
        await _need_video(services, clip_of)
        request = job.request
    await place(interaction, request, narration, clip_of=clip_of)


def _narration_in(data: object, services: Services) -> Attachment:
    """Return the narration in the form: an audio file or a text.

    Raises UserError if the form contains both or neither.
    """
    audio, text = file_in(data, _AUDIO), text_in(data, _TEXT).strip()
    if audio is not None and text:
        raise UserError("speech.both")
    if audio is not None:
        services.presets.check_audio(audio.size)
        return audio
    if text:
        return text_attachment(checked_text(text))
    raise UserError("speech.neither" if services.narrator else "audio.missing")


async def _delete_job(interaction: discord.Interaction[VideoBot], job: Job) -> None:
    services = interaction.client.services
    if not await services.retention.mark_deleted(job.id):
        raise UserError("reply.still_open")
    # Discord doesn't wait until the files are deleted, so respond first.
    await interaction.response.defer()
    await services.retention.delete_content(job.id)
    try:
        await interaction.delete_original_response()
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        # The message may already be deleted. If it isn't, its button still works.
        log.warning("card.undeleted id=%s error=%s", job.id, type(error).__name__)


def setup(bot: VideoBot) -> None:
    """Have the bot handle the forms."""
    bot.forms.add(TEMPLATE, _submit)
