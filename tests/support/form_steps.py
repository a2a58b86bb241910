"""The steps of a person who presses a button and fills in its form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.demo.fake_discord.uploads import Upload
from bot.model import JobState
from tests.support.cards import post_card

if TYPE_CHECKING:
    from bot.delivery.views.button_ids import Action
    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from bot.model import Attachment, Job
    from tests.support.desk import Desk


SOUND = Upload(filename="voice.ogg", content=b"OggS", content_type="audio/ogg")


async def finished(desk: Desk, *, attachment: Attachment | None = None) -> Job:
    """Run a job of the desk's user until it has succeeded."""
    world = desk.fake_discord.world
    job = await desk.bench.submit(
        attachment=attachment, user_id=world.user.id, channel_id=world.channel.id
    )
    ended = await desk.bench.run_out(job.id)
    assert ended.state is JobState.SUCCEEDED
    return ended


async def press(desk: Desk, action: Action, job: Job, **who: object) -> Message:
    """Press a button, and return the message that answers."""
    return await desk.click(post_card(desk, action, job.id), "Old", **who)


async def form(desk: Desk, action: Action, job: Job, **who: Any) -> Interaction:
    """Press a button, and return the form that answers."""
    card = post_card(desk, action, job.id)
    pressed = await desk.fake_discord.click(card, f"clapper:{action}:{job.id}", **who)
    await desk.fake_discord.wait_for(lambda: pressed.modal or pressed.message)
    assert pressed.modal is not None
    return pressed


async def submit_form(desk: Desk, opened: Interaction, values: dict[str, Any]) -> Message:
    """Send a form, and return the message that answers."""
    return await desk.fake_discord.answer_to(await desk.fake_discord.submit(opened, values))


async def job_of_card(desk: Desk, card: Message) -> Job:
    """Return the job of a card."""
    bench = desk.bench
    await bench.until(lambda: any(c.job.origin.message_id == card.id for c in bench.changes))
    [job_id] = {c.job.id for c in bench.changes if c.job.origin.message_id == card.id}
    return await bench.now(job_id)


async def count(desk: Desk) -> int:
    return len(await desk.bench.database.rows("SELECT id FROM jobs", {}))
