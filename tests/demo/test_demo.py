"""Tests `python -m bot demo` as a new user runs it."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.__main__ import main
from bot.demo import command
from bot.storyboard.lettering.scenes import split_scenes
from tests.support.command_line import WITHIN, end, group_is_empty, run_bot, start
from tests.support.media import clips
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from tests.support.command_line import Ended

PITCH = 3000
REFUSAL = {"error": {"message": "no", "type": "x", "code": "moderation_blocked", "param": None}}


@pytest.fixture
def narration(tmp_path: Path) -> Path:
    return clips.make_tone(tmp_path / "voice.ogg", seconds=2, frequency=PITCH)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clips.make_clip(tmp_path / "provider.mp4", seconds=2)


def provider(api: VideosApi) -> dict[str, str]:
    return {"VIDEO_BACKEND": "openai", "OPENAI_BASE_URL": api.base_url}


def level(path: Path, *, band: str = "anull") -> float:
    """Return the RMS level in dB of a file's sound after a filter."""
    stderr = clips.ffmpeg("-i", str(path), "-af", f"{band},astats", "-f", "null", "-")
    return float(re.findall(r"RMS level dB: (\S+)", stderr)[-1])


def assert_narrated(ended: Ended, folder: Path) -> None:
    """Check that the output names a video in `folder` whose sound is the narration."""
    assert ended.code == 0, ended
    [name] = re.findall(r"^ +(/\S+\.mp4)$", ended.out, re.MULTILINE)
    video = Path(name)
    assert video.parent == folder
    assert level(video) - level(video, band=f"bandpass=f={PITCH}:w=200") < 3


async def test_the_demo_shows_a_command_its_card_the_dm_and_a_video_with_the_narration(
    tmp_path: Path, narration: Path
) -> None:
    folder = tmp_path / "out"
    (folder / "clapper").mkdir(parents=True)
    (folder / "clapper" / "clapper.db").write_text("left by a demo that was killed")
    (folder / "diary.txt").write_text("mine")
    process = await start(
        tmp_path,
        "demo",
        "--prompt",
        "Why is the sky blue",
        "--audio",
        str(narration),
        "--folder",
        str(folder),
        VIDEO_SIZE="320x180",
        VIDEO_SECONDS="2",
    )
    ended = await end(process)
    assert_narrated(ended, folder)
    assert "@ada types: /video prompt:Why is the sky blue audio:voice.ogg" in ended.out
    assert "DM from @clapper:\n    Your video is ready: https://discord.com/channels/" in ended.out
    assert "> Why is the sky blue" in ended.out
    assert "-#" not in ended.out  # Discord's markup for small text
    assert ended.err == ""
    assert group_is_empty(process)
    assert (folder / "diary.txt").read_text() == "mine"
    assert (folder / ".clapper-demo").stat().st_mode & 0o777 == 0o700


async def test_any_server_with_the_videos_api_can_make_the_video(
    tmp_path: Path, narration: Path, clip: Path
) -> None:
    async with VideosApi(clip=clip, seconds_per_job=0.2) as api:
        ended = await run_bot(
            tmp_path, "demo", "--real", "--audio", str(narration), **provider(api)
        )
        [job] = api.jobs.values()
    words, _, brief = job["prompt"].partition("\n\n")
    assert words == command.PROMPT
    assert brief.startswith("Subject: ")
    assert_narrated(ended, tmp_path / "data" / "demo")


def test_the_default_prompt_is_split_into_whole_lines() -> None:
    scenes = split_scenes(command.PROMPT, seconds=8)
    assert " ".join(scenes) == command.PROMPT.replace(":", "")
    assert [len(scene.split()) for scene in scenes] == [3, 3, 5]


async def test_a_refusal_of_the_provider_is_explained(tmp_path: Path) -> None:
    async with VideosApi() as api:
        api.add_faults("create", Fault(status=400, body=REFUSAL))
        ended = await run_bot(tmp_path, "demo", "--real", **provider(api))
    assert ended.code == 1
    assert "content policy" in ended.out
    assert ended.out.endswith("\n  There is no video: the card says why.\n")
    assert "Traceback" not in ended.err


async def test_a_refused_command_is_explained_and_keeps_the_earlier_video(
    tmp_path: Path,
) -> None:
    before = tmp_path / "data" / "demo" / "clapper-demo.mp4"
    (before.parent / ".clapper-demo").mkdir(parents=True)
    before.write_bytes(b"of the demo before")
    ended = await run_bot(tmp_path, "demo", "--prompt", " ")
    assert ended.code == 1
    assert before.read_bytes() == b"of the demo before"
    assert "Please write what the video should show.\n\n  There is no video: the bot" in ended.out
    assert "Traceback" not in ended.err


async def test_a_provider_that_takes_too_long_is_explained(tmp_path: Path) -> None:
    async with VideosApi() as api:
        ended = await run_bot(tmp_path, "demo", "--real", "--within", "1.5", **provider(api))
    assert ended.code == 1
    assert "There is no video after 1.5 s: --within allows more time" in ended.out
    assert "may charge" in ended.out
    assert "Traceback" not in ended.err


async def test_ctrl_c_ends_the_demo_without_a_traceback(tmp_path: Path) -> None:
    async with VideosApi() as api:
        process = await start(tmp_path, "demo", "--real", **provider(api))
        async with asyncio.timeout(WITHIN):
            await api.wait_for("POST", "/videos")
        process.send_signal(signal.SIGINT)
        ended = await end(process)
    assert ended.code == 1
    assert ended.err == ""
    assert "\n  Interrupted: there is no video. The provider may charge" in ended.out
    assert group_is_empty(process)


async def test_a_file_that_is_not_audio_is_explained_on_the_card(tmp_path: Path) -> None:
    (tmp_path / "voice.ogg").write_text("these are words")
    ended = await run_bot(tmp_path, "demo", "--audio", "voice.ogg")
    assert ended.code == 1
    assert ended.out.endswith("\n  There is no video: the card says why.\n")
    assert "LOG_LEVEL" not in ended.out


async def test_services_in_the_settings_are_not_used_without_real(
    tmp_path: Path,
) -> None:
    async with VideosApi() as api:
        process = await start(
            tmp_path,
            "demo",
            VIDEO_SIZE="320x180",
            VIDEO_SECONDS="2",
            MODERATION="openai",
            MODERATION_BASE_URL=api.base_url,
            PROMPT_WRITER="openai",
            PROMPT_BASE_URL=api.base_url,
            PROMPT_MODEL="m",
            **provider(api),
        )
        ended = await end(process)
        assert not api.made("GET") + api.made("POST")
    assert ended.code == 0, ended
    assert "price" not in ended.out


@pytest.mark.parametrize(
    ("option", "sentence"),
    [("--audio", r"^--audio: .*nowhere"), ("--folder", r"^--folder: .*taken")],
)
def test_a_missing_file_or_a_file_in_place_of_the_folder_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, sentence: str
) -> None:
    (tmp_path / "taken").write_text("mine")
    name = "nowhere.ogg" if option == "--audio" else "taken"
    assert main(["demo", "--folder", str(tmp_path / "out"), option, str(tmp_path / name)]) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert re.search(sentence, said)
    assert (tmp_path / "taken").read_text() == "mine"
