"""People with videos, who type `/videos` and press its buttons."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.model import JobState, VideoRequest

if TYPE_CHECKING:
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User
    from bot.model import Job
    from tests.support.desk import Desk

CLIP = b"\0\0\0\x18ftypmp42" + b"the clip" * 1000


async def ask(desk: Desk, prompt: str, *, user: User | None = None) -> Job:
    """Submit a job a minute after the last one, and give it a card."""
    desk.clock.advance(60)
    where = desk.fake_discord.world.channel
    assert where.guild is not None
    job = await desk.bench.submit(
        VideoRequest(prompt=prompt, model=None, seconds=8, size="1280x720"),
        user_id=(user or desk.fake_discord.world.user).id,
        guild_id=where.guild.id,
        channel_id=where.id,
        acknowledged=False,
    )
    message = desk.fake_discord.say(f"the card of {prompt[:100]}", user=desk.fake_discord.world.bot)
    acknowledged = await desk.bench.jobs.acknowledge(job.id, message.id)
    assert acknowledged is not None
    return acknowledged


async def finish(desk: Desk, prompt: str, content: bytes = CLIP) -> Job:
    """Run a job to its end, and store its video."""
    job = await ask(desk, prompt)
    desk.bench.backend.finish()
    job = await desk.bench.run_out(job.id)
    assert job.state is JobState.SUCCEEDED
    await desk.bench.artifacts.save(desk.artifact(job, content))
    return job


def card_of(desk: Desk, job: Job) -> Message:
    return next(m for m in desk.fake_discord.history.messages if m.id == job.origin.message_id)


async def videos(desk: Desk, **how: Any) -> Message:
    """Type `/videos`, and return the answer."""
    search = how.pop("search", None)
    options = {} if search is None else {"search": search}
    return await desk.fake_discord.answer_to(
        await desk.fake_discord.slash("videos", options, **how)
    )


async def press(desk: Desk, page: Message, start: str, **who: Any) -> Message:
    """Press the button whose id begins with `start`, and return the answer."""
    [custom_id] = [c["custom_id"] for c in page.components if is_button(c, start)]
    return await desk.fake_discord.answer_to(await desk.fake_discord.click(page, custom_id, **who))


def is_button(component: dict[str, Any], start: str) -> bool:
    return component.get("custom_id", "").startswith(start) and not component.get("disabled")


def prompts(page: Message) -> list[str]:
    return re.findall(r"(?m)^> (.*)$", page.text)


def labels(page: Message) -> list[str]:
    return [part["label"] for part in page.components if part["type"] == 2]
