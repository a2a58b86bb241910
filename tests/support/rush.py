"""Cards of earlier videos, and the buttons and forms on them, for many people at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.delivery.views.button_ids import Action
    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.server import FakeDiscord
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User


def post_card(fake_discord: FakeDiscord, action: Action, job_id: str) -> Message:
    """Post a message with a button of a job's card."""
    button = {"type": 2, "style": 2, "label": "Old", "custom_id": f"clapper:{action}:{job_id}"}
    body: dict[str, Any] = {"flags": 1 << 15, "components": [{"type": 1, "components": [button]}]}
    world = fake_discord.world
    return fake_discord.messages.create(world.channel, world.bot, body)


async def press(
    fake_discord: FakeDiscord, person: User, action: Action, job_id: str
) -> Interaction:
    """Press a button of a job's card."""
    card = post_card(fake_discord, action, job_id)
    return await fake_discord.click(card, f"clapper:{action}:{job_id}", user=person)


async def opened_form(
    fake_discord: FakeDiscord, person: User, action: Action, job_id: str, *, within: float
) -> Interaction:
    """Press a button that opens a form, and wait for the form."""
    pressed = await press(fake_discord, person, action, job_id)
    await fake_discord.wait_for(lambda: pressed.modal, within=within)
    return pressed
