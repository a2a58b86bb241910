"""Builds the question whether the video service may hear a person's voice."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.delivery.views.formatting import quoted
from bot.delivery.views.notice import render_panel

if TYPE_CHECKING:
    from bot.jobs.guiding.permissions import HearingService
    from bot.texts import Texts

_CHARACTERS = 60


class VoiceAnswer(StrEnum):
    """The effect of a button: send the voice with this and later orders, or only lay it over."""

    SEND = "send"
    KEEP = "keep"


TEMPLATE = (
    rf"clapper:voice:(?P<answer>{'|'.join(VoiceAnswer)}):(?P<order>[0-9]{{1,20}})"
    r":(?P<service>[0-9a-f]{16})"
)


def render_question(
    texts: Texts, locale: str, service: HearingService, *, order: int
) -> ui.LayoutView:
    """Render the question whether `service` may hear the person's voice.

    `order`: the id of the interaction whose order waits for the answer.
    """
    key = f"{order}:{service.digest}"
    return render_panel(
        [texts("voice.question", locale, service=quoted(service.label, _CHARACTERS))],
        _button(texts("voice.send", locale), VoiceAnswer.SEND, key),
        _button(texts("voice.keep", locale), VoiceAnswer.KEEP, key),
    )


def _button(label: str, answer: VoiceAnswer, key: str) -> ui.Button[ui.LayoutView]:
    # Both buttons look the same, because neither answer is the expected one.
    style = discord.ButtonStyle.secondary
    return ui.Button(style=style, label=label, custom_id=f"clapper:voice:{answer}:{key}")
