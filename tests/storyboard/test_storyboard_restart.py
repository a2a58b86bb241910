from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.errors import StartupError
from tests.support.storyboard import (
    VIDEO,
    ApiCaller,
    ManualRenderer,
    files,
    open_board,
    open_receiver,
    seen,
)

ROOT = Path(__file__).parents[2]


async def test_a_clip_whose_process_was_killed_is_rendered_again_under_the_same_id(
    tmp_path: Path,
) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.storyboard",
        str(tmp_path),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout
    try:
        base_url = (await child.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as session:
            killed = ApiCaller(base_url, session)
            rendering = await killed.create(key="k")
            assert await child.stdout.readline() == b"rendering\n"
            queued = await killed.create(prompt="the second")
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()
    renderer = ManualRenderer()
    async with open_receiver() as receiver, open_board(tmp_path, renderer, receiver) as board:
        assert (await board.create(key="k"))["id"] == rendering["id"]
        assert [(await receiver.next()).video for _ in range(2)] == [rendering["id"], queued["id"]]
        content = await board.ask("GET", f"/videos/{rendering['id']}/content")
        assert content.raw == VIDEO
        assert (await board.get(queued["id"]))["created_at"] == queued["created_at"]
    assert len(renderer.orders) == 2
    assert not files(tmp_path, "*.work")


async def test_a_finished_clip_survives_a_restart(tmp_path: Path) -> None:
    async with open_receiver() as receiver:
        async with open_board(tmp_path, ManualRenderer(), receiver) as board:
            video = await board.create()
            await receiver.next()
        renderer = ManualRenderer()
        async with open_board(tmp_path, renderer) as board:
            assert (await board.get(video["id"]))["status"] == "completed"
            content = await board.ask("GET", f"/videos/{video['id']}/content")
            assert content.raw == VIDEO
            assert (await board.create())["id"] != video["id"]
            listed = (await board.ask("GET", "/videos?order=asc")).body["data"]
            assert listed[0]["id"] == video["id"]


async def test_the_leftovers_of_a_crash_are_removed(tmp_path: Path) -> None:
    orphan = tmp_path / "video_1.mp4"
    half = tmp_path / "video_2.tmp"
    work = tmp_path / "video_3.work"
    orphan.touch()
    half.touch()
    work.mkdir()
    (work / "sky.png").touch()
    async with open_board(tmp_path, ManualRenderer()):
        assert not orphan.exists()
        assert not half.exists()
        assert not work.exists()


async def test_an_unreadable_clip_does_not_keep_the_others_from_being_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_receiver() as receiver:
        async with open_board(tmp_path, ManualRenderer(), receiver) as board:
            video = await board.create()
            await receiver.next()
        (tmp_path / "video_0.json").write_text("{")
        (tmp_path / "video_1.json").write_bytes((tmp_path / f"{video['id']}.json").read_bytes())
        async with open_board(tmp_path, ManualRenderer()) as board:
            listed = (await board.ask("GET", "/videos")).body["data"]
    assert [each["id"] for each in listed] == [video["id"]]
    assert "storyboard.unreadable file=video_0.json" in caplog.text


async def test_a_second_process_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    async with open_board(tmp_path, ManualRenderer()):
        with pytest.raises(StartupError, match="Another process is using"):
            async with open_board(tmp_path, ManualRenderer()):
                pass


async def test_a_clip_that_is_interrupted_again_and_again_fails_at_last(tmp_path: Path) -> None:
    renderer = ManualRenderer(go=False)
    async with open_board(tmp_path, renderer) as board:
        video = await board.create()
        await renderer.started.get()
    for _ in range(4):
        async with open_board(tmp_path, renderer):
            await renderer.started.get()
    async with open_receiver() as receiver, open_board(tmp_path, renderer, receiver) as board:
        assert (await receiver.next()).event["type"] == "video.failed"
        assert (await board.get(video["id"]))["error"]["code"] == "render_interrupted"


async def test_a_full_disk_delays_a_clip_and_does_not_lose_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    renderer = ManualRenderer(go=False)
    async with open_receiver() as receiver:
        async with open_board(tmp_path, renderer, receiver) as board:
            video = await board.create()
            await renderer.started.get()
            # A folder in the place of the clip's next version makes the write fail.
            (tmp_path / f"{video['id']}.tmp").mkdir()
            renderer.go.set()
            await seen(lambda: "storyboard.unstored" in caplog.text)
            assert (await board.get(video["id"]))["status"] == "in_progress"
        (tmp_path / f"{video['id']}.tmp").rmdir()
        async with open_board(tmp_path, renderer, receiver):
            assert (await receiver.next()).video == video["id"]
