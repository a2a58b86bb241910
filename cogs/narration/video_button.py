"""The button below a response to `/narrate`. It orders a video with the text that was spoken.

The button is recognised by a template of its id, so it also works after a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.model import text_attachment
from bot.presets import MAX_PROMPT
from cogs._dynamic_button import DynamicButton
from cogs._form_values import text_in
from cogs._orders import place
from cogs.access.places import place_of

if TYPE_CHECKING:
    import re

    from bot.discord_bot.bot import Services, VideoBot

# The id of a speech is not a secret, and grants no permission.
_TEMPLATE = r"clapper:speech:(?P<speech>[0-9]{1,18})"
_PROMPT = "prompt"


def make_view(speech_id: int, label: str) -> ui.View:
    """Return the button for a text. The view is stopped, so that discord.py doesn't keep it."""
    view = ui.View(timeout=None)
    style = discord.ButtonStyle.primary
    view.add_item(ui.Button(style=style, label=label, custom_id=f"clapper:speech:{speech_id}"))
    view.stop()
    return view


class SpeechButton(DynamicButton, template=_TEMPLATE):
    """The button below a response to `/narrate`."""

    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item, match)
        self._speech_id = int(match["speech"])

    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Open the form for the prompt.

        Raises UserError if the person may not order here, if the text was read aloud for another
        person, or if the text is no longer kept.
        """
        await services.gate.check(await place_of(interaction))
        await services.speeches.find(self._speech_id, interaction.user.id)
        locale = str(interaction.locale)
        prompt = ui.TextInput[Any](
            custom_id=_PROMPT, style=discord.TextStyle.paragraph, max_length=MAX_PROMPT
        )
        form = ui.Modal(
            title=services.texts("form.speech_title", locale),
            custom_id=f"clapper:speech:{self._speech_id}",
        )
        form.add_item(
            ui.Label[Any](
                text=services.texts("form.edit_prompt", locale),
                description=services.texts("form.speech_hint", locale),
                component=prompt,
            )
        )
        form.stop()  # discord.py would keep it in memory; `_order` handles the submission
        await interaction.response.send_modal(form)


async def _order(interaction: discord.Interaction[VideoBot], match: re.Match[str]) -> None:
    """Order a video with the stored sound, so nothing is read aloud or counted again."""
    services = interaction.client.services
    speech = await services.speeches.find(int(match["speech"]), interaction.user.id)
    request = services.presets.request(text_in(interaction.data, _PROMPT))
    attachment = text_attachment(speech.text)
    await place(interaction, request, attachment, narration_of=speech.narration_id)


def setup(bot: VideoBot) -> None:
    """Have the bot handle the button and its form."""
    bot.add_dynamic_items(SpeechButton)
    bot.forms.add(_TEMPLATE, _order)
