"""A video that is too large is linked at once, and a smaller copy replaces the link later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.artifacts import Handover
from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.api_errors import Refusal
from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.artifacts import Artifact
    from bot.demo.fake_discord.state.message import Message
    from bot.model import Job
    from tests.support.desk import Desk

# Discord plays no link without TLS on a card.
PUBLIC_URL = "http://videos.example.org"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        opened.fake_discord.limits.announced_bytes = 100
        opened.bench.editor.least[True] = 50
        yield opened
        check_all(opened.fake_discord.history.requests)


async def stored(desk: Desk) -> tuple[Job, Message, Artifact]:
    """Type a command, and store its finished video, which is too large."""
    job, message = await desk.video()
    artifact = desk.artifact(job, bytes(200))
    await desk.bench.artifacts.save(artifact)
    return job, message, artifact


async def set_state(desk: Desk, job: Job, state: str) -> None:
    await desk.bench.database.rows(
        "UPDATE jobs SET state = :state, remote_id = id, next_at = NULL WHERE id = :id",
        {"state": state, "id": job.id},
    )


async def linked(desk: Desk, public_url: str = PUBLIC_URL) -> tuple[Job, Message]:
    """Deliver a video that is too large, and end its job."""
    job, message, artifact = await stored(desk)
    deliverer = desk.deliverer(public_url=public_url)
    assert await deliverer.deliver(job, artifact) is Handover.CARD
    await set_state(desk, job, "succeeded")
    return job, message


async def due(desk: Desk) -> int:
    return len(await desk.bench.database.rows("SELECT * FROM due_copies", {}))


def urls(message: Message) -> list[str]:
    return [part["url"] for part in message.components if part.get("url")]


def refuse_edits(desk: Desk, refusal: Refusal) -> None:
    for edits in ("PATCH /webhooks/*", "PATCH /channels/*"):
        desk.fake_discord.faults.add(edits, refusal, times=None)


async def test_the_link_is_on_the_card_before_any_copy_is_made(desk: Desk) -> None:
    job, message = await linked(desk)
    assert desk.bench.editor.shrunk == []
    assert message.files == ()
    [url] = urls(message)
    assert url.startswith(f"{PUBLIC_URL}/d/{job.id}.")


async def test_a_copy_replaces_the_link_with_one_edit_and_no_merge_waits_for_it(
    desk: Desk,
) -> None:
    job, message = await linked(desk)
    edits = len(message.versions)
    await desk.smaller_copies.make_next()
    assert [file.size for file in message.files] == [100]
    assert "smaller copy" in message.text
    assert urls(message)[0].startswith(f"{PUBLIC_URL}/d/{job.id}.")
    assert len(message.versions) == edits + 1
    assert desk.bench.editor.in_background == [True]
    assert await due(desk) == 0
    assert (await desk.bench.now(job.id)).origin.token is None


async def test_a_copy_is_made_after_a_restart(desk: Desk) -> None:
    _, message = await linked(desk)
    desk.deliverer(public_url=PUBLIC_URL)
    await desk.smaller_copies.make_next()
    assert [file.size for file in message.files] == [100]


async def test_a_copy_waits_until_the_link_is_on_the_card(desk: Desk) -> None:
    job, message = await linked(desk)
    await set_state(desk, job, "delivering")
    await desk.smaller_copies.make_next()
    assert (message.files, await due(desk)) == ((), 1)
    await set_state(desk, job, "notifying")
    desk.clock.advance(5)
    await desk.smaller_copies.make_next()
    assert len(message.files) == 1


async def test_a_long_wait_for_the_link_uses_up_no_attempt(desk: Desk) -> None:
    job, message = await linked(desk)
    await set_state(desk, job, "delivering")
    for _ in range(25):
        await desk.smaller_copies.make_next()
        desk.clock.advance(5)
    await set_state(desk, job, "notifying")
    refuse_edits(desk, Refusal(500, 0, "Internal Server Error"))
    await desk.smaller_copies.make_next()
    assert await due(desk) == 1
    desk.fake_discord.faults.clear()
    desk.clock.advance(60)
    await desk.smaller_copies.make_next()
    assert len(message.files) == 1


async def test_a_copy_does_not_wait_for_a_clock_that_was_set_back(desk: Desk) -> None:
    _, message = await linked(desk)
    desk.clock.advance(-24 * 60 * 60)
    await desk.smaller_copies.make_next()
    assert len(message.files) == 1


async def test_a_copy_that_fails_unexpectedly_lets_the_others_go_first(desk: Desk) -> None:
    _, failing = await linked(desk)
    desk.clock.advance(1)
    _, other = await linked(desk)
    desk.bench.editor.faults.append(OSError("no space left on device"))
    with pytest.raises(OSError, match="no space"):
        await desk.smaller_copies.make_next()
    await desk.smaller_copies.make_next()
    assert (len(failing.files), len(other.files)) == (0, 1)
    desk.clock.advance(60)
    await desk.smaller_copies.make_next()
    assert len(failing.files) == 1


@pytest.mark.parametrize("end", ["deleted", "expired", "card gone", "too little room"])
async def test_a_copy_that_is_not_wanted_any_more_changes_nothing(desk: Desk, end: str) -> None:
    job, message = await linked(desk)
    match end:
        case "deleted":
            assert await desk.bench.retention.delete(job.id)
        case "expired":
            desk.bench.workspace.video(job.id).unlink()
        case "card gone":
            await desk.bench.store.mark_card_gone(job.id)
        case _:
            desk.bench.editor.least.clear()
    edits = len(message.versions)
    await desk.smaller_copies.make_next()
    assert (len(message.versions), await due(desk)) == (edits, 0)


async def test_a_copy_that_discord_can_not_take_now_is_uploaded_later(desk: Desk) -> None:
    _, message = await linked(desk)
    refuse_edits(desk, Refusal(500, 0, "Internal Server Error"))
    await desk.smaller_copies.make_next()
    assert (message.files, await due(desk)) == ((), 1)
    desk.fake_discord.faults.clear()
    desk.clock.advance(60)
    await desk.smaller_copies.make_next()
    assert len(message.files) == 1
    assert desk.bench.editor.in_background == [True]


async def test_a_copy_that_is_too_large_even_at_the_lowest_limit_leaves_the_link(
    desk: Desk,
) -> None:
    _, message = await linked(desk)
    refuse_edits(desk, api_errors.TOO_LARGE)
    await desk.smaller_copies.make_next()
    assert (message.files, await due(desk)) == ((), 0)


async def test_a_link_that_plays_on_the_card_gets_no_copy(desk: Desk) -> None:
    await linked(desk, public_url="https://videos.example.org")
    assert await due(desk) == 0
