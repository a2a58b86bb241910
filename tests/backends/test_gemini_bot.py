from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import StartupError
from tests.support.providers.gemini_api import GeminiApi
from tests.support.providers.stand_in import Fault
from tests.support.wire import open_wire, query

if TYPE_CHECKING:
    from pathlib import Path


def chosen(api: GeminiApi) -> dict[str, Any]:
    return {
        "video_backend": "gemini",
        "gemini_base_url": api.base_url,
        "gemini_api_key": "gm-made-up",
        "public_url": "",
    }


async def test_a_video_is_made_from_the_command_to_the_card(tmp_path: Path) -> None:
    async with (
        open_wire(tmp_path) as wire,
        GeminiApi(clip=wire.clip) as api,
        wire.bot(**chosen(api)),
    ):
        message = await wire.video("A cat")
        api.finish(await api.created())
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    (call,) = api.made("POST")
    assert call.form["model"] == "gemini-omni-1.2-flash"
    assert query(wire.data_dir, "SELECT backend FROM jobs") == [("gemini",)]


async def test_a_synchronous_result_survives_a_restart(tmp_path: Path) -> None:
    async with (
        open_wire(tmp_path) as wire,
        GeminiApi(clip=wire.clip, synchronous=True, inline=True) as api,
    ):
        api.add_faults("retrieve", *[Fault(status=503)] * 200)
        async with wire.bot(**chosen(api)):
            message = await wire.video("A cat")
            await api.wait_for("GET", "/v1/interactions")
        api.clear_faults("retrieve")
        async with wire.bot(**chosen(api)):
            await wire.wait_for_video(message)
            await wire.wait_for_job()
    assert len(api.made("POST")) == 1


@pytest.mark.parametrize(
    "fault",
    [Fault(after=True, reset=True), Fault(cut=True), Fault(after=True, status=500)],
    ids=["reset", "cut", "500"],
)
async def test_an_unanswered_create_is_undecided_and_never_repeated(
    tmp_path: Path, fault: Fault
) -> None:
    async with open_wire(tmp_path) as wire, GeminiApi(clip=wire.clip) as api:
        api.add_faults("create", fault)
        async with wire.bot(**chosen(api)):
            message = await wire.video("A cat")
            await wire.wait_for_card_text(
                message, "I can't tell whether the video service accepted your request"
            )
            await wire.wait_for_job("undecided")
    assert len(api.made("POST")) == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"video_seconds": 2}, "VIDEO_SECONDS: Gemini Omni makes clips of 3 to 15 seconds, not"),
        ({"video_size": "1024x1024"}, "VIDEO_SIZE: Gemini Omni makes 640x360, 360x640, 1280x720,"),
    ],
)
async def test_presets_that_it_can_not_make_are_explained_at_the_start(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    async with open_wire(tmp_path) as wire, GeminiApi() as api:
        with pytest.raises(StartupError) as caught:
            async with wire.bot(**(chosen(api) | settings)):
                pass
    assert str(caught.value).startswith(sentence)
