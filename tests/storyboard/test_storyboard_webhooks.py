from __future__ import annotations

import time
from typing import TYPE_CHECKING

import openai
import pytest

from bot.errors import StartupError
from bot.storyboard.server import Storyboard
from tests.support.storyboard import SECRET, ManualRenderer, open_board, open_receiver

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_finished_clip_is_announced_with_a_signature_that_openais_package_accepts(
    tmp_path: Path,
) -> None:
    async with (
        open_receiver() as receiver,
        open_board(tmp_path, ManualRenderer(), receiver) as board,
    ):
        video = await board.create()
        delivery = await receiver.next()
        async with openai.AsyncOpenAI(api_key="none", webhook_secret=SECRET) as client:
            client.webhooks.verify_signature(delivery.body, delivery.headers)
            with pytest.raises(openai.InvalidWebhookSignatureError):
                client.webhooks.verify_signature(delivery.body + b" ", delivery.headers)
        done = await board.get(video["id"])
    assert delivery.event == {
        "id": delivery.headers["webhook-id"],
        "object": "event",
        "created_at": done["completed_at"],
        "type": "video.completed",
        "data": {"id": video["id"]},
    }


async def test_a_webhook_is_repeated_under_the_same_id_until_it_arrives(tmp_path: Path) -> None:
    async with (
        open_receiver() as receiver,
        open_board(tmp_path, ManualRenderer(), receiver) as board,
    ):
        receiver.answers = [500, 404, 302]
        first = await board.create()
        tries = [await receiver.next() for _ in range(4)]
        assert len({each.headers["webhook-id"] for each in tries}) == 1
        assert {each.video for each in tries} == {first["id"]}
        second = await board.create()
        assert (await receiver.next()).video == second["id"]  # the first is not sent again


async def test_a_webhook_that_did_not_arrive_is_sent_after_a_restart(tmp_path: Path) -> None:
    async with open_receiver() as receiver:
        receiver.answers = [503] * 1000
        async with open_board(tmp_path, ManualRenderer(), receiver) as board:
            video = await board.create()
            first = await receiver.next()
        receiver.answers = []
        renderer = ManualRenderer()
        async with open_board(tmp_path, renderer, receiver):
            while receiver.deliveries.qsize():
                receiver.deliveries.get_nowait()
            again = await receiver.next()
    assert again.video == video["id"]
    assert again.headers["webhook-id"] == first.headers["webhook-id"]
    assert renderer.orders == []


async def test_an_unreachable_receiver_is_tried_again(tmp_path: Path) -> None:
    async with open_receiver() as unreachable:
        pass
    async with open_receiver() as receiver:
        async with open_board(tmp_path, ManualRenderer(), receiver) as board:
            await board.create()
            arrived = await receiver.next()
        assert arrived.event["type"] == "video.completed"
    renderer = ManualRenderer()
    async with open_board(tmp_path, renderer, unreachable) as board:
        await board.create(prompt="missed at first")
        await renderer.started.get()
    async with open_receiver() as back, open_board(tmp_path, renderer, back) as board:
        # A storyboard that stops at once may not have stored that the first webhook arrived, and
        # then sends it again.
        prompts = {(await board.get((await back.next()).video))["prompt"]}
        if "missed at first" not in prompts:
            prompts.add((await board.get((await back.next()).video))["prompt"])
        assert "missed at first" in prompts


async def test_a_clip_that_was_finished_without_a_webhook_url_is_never_announced(
    tmp_path: Path,
) -> None:
    renderer = ManualRenderer()
    async with open_board(tmp_path, renderer) as board:
        unannounced = await board.create()
        await renderer.started.get()
        while (await board.get(unannounced["id"]))["status"] != "completed":
            pass
    async with open_receiver() as receiver, open_board(tmp_path, renderer, receiver) as board:
        later = await board.create(prompt="announced")
        assert (await receiver.next()).video == later["id"]


@pytest.mark.parametrize("secret", ["whsec_not base64!", "whsec_", "a"])
def test_an_invalid_secret_is_reported_in_one_sentence(tmp_path: Path, secret: str) -> None:
    with pytest.raises(StartupError, match="whsec_ followed by base64"):
        Storyboard(
            tmp_path,
            ManualRenderer(),
            clock=time.time,
            webhook_url="http://127.0.0.1:9/hook",
            webhook_secret=secret,
        )


def test_a_webhook_url_without_a_secret_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="secret"):
        Storyboard(
            tmp_path, ManualRenderer(), clock=time.time, webhook_url="http://127.0.0.1:9/hook"
        )
