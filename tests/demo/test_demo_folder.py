"""Tests the demo's use of its folder, and its warning about costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.__main__ import main
from bot.demo import command
from bot.settings.fields import load_settings
from tests.support.command_line import run_bot
from tests.support.providers.videos_api import Fault, VideosApi

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

REFUSAL = {"error": {"message": "no", "type": "x", "code": "moderation_blocked", "param": None}}


async def refused_demo(folder: Path, *options: str, user: str = "") -> tuple[str, str]:
    """Run a demo that the provider refuses at once; return its output and the provider's URL."""
    async with VideosApi() as api:
        api.add_faults("create", Fault(status=400, body=REFUSAL))
        url = api.base_url.replace("://", f"://{user}")
        command = ("demo", "--real", *options)
        ended = await run_bot(folder, *command, VIDEO_BACKEND="openai", OPENAI_BASE_URL=url)
    assert ended.code == 1
    assert "There is no video" in ended.out
    return ended.out, api.base_url


async def test_other_files_in_the_folder_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    mine = [folder / "clapper.db", folder / "clapper" / "main.py", folder / "discord" / "token"]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    await refused_demo(tmp_path, "--folder", str(folder))
    assert [path.read_text() for path in mine] == ["mine"] * 3


async def test_the_files_of_an_earlier_demo_are_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        left = tmp_path / "data" / "demo" / ".clapper-demo" / "left"
        await refused_demo(tmp_path)
        assert not left.exists()
        left.touch()


async def test_possible_costs_are_named_before_the_command(
    tmp_path: Path,
) -> None:
    out, url = await refused_demo(tmp_path)
    said = f"The video is ordered with VIDEO_BACKEND=openai from {url}"
    assert said in out
    assert "which charges its usual price" in out
    assert out.index(said) < out.index("types: /video")


def test_the_warning_names_the_address_of_the_backend(capsys: pytest.CaptureFixture[str]) -> None:
    warn = command._warn_of_costs  # noqa: SLF001 - a whole demo would need the service
    warn(load_settings(video_backend="openrouter", openrouter_api_key="sk-or"))
    warn(load_settings(video_backend="gemini", gemini_api_key="gm"))
    out = capsys.readouterr().out
    assert "VIDEO_BACKEND=openrouter from https://openrouter.ai/api/v1," in out
    assert "VIDEO_BACKEND=gemini from https://generativelanguage.googleapis.com," in out


async def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    out, url = await refused_demo(tmp_path, user="ada:s3cret@")
    assert "s3cret" not in out
    assert url in out


async def test_a_demo_on_this_machine_has_no_price(tmp_path: Path) -> None:
    ended = await run_bot(tmp_path, "demo", "--prompt", " ")
    assert ended.code == 1
    assert "price" not in ended.out


def test_a_video_that_is_not_from_a_demo_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "clapper-demo.mp4"
    video.write_text("mine")
    assert main(["demo", "--folder", str(tmp_path)]) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith("--folder: ")
    assert video.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [video]
