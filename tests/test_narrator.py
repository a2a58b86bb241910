"""The way of a narration through a job's folder: every step may come again after a crash."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from bot.media.narrator import Narrator

from bot.errors import MediaError, UserError
from bot.media.download import AttachmentFetcher
from bot.media.ffmpeg import Ffmpeg
from bot.media.ingest import read_narration
from bot.media.mp4 import read_mp4
from bot.media.workspace import Workspace
from tests import clips

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.media.workspace import JobFolder

JOB_ID = "0" * 32


@dataclass(kw_only=True)
class Studio:
    """A narrator, the folder of its job, and the host of the attachments."""

    narrator: Narrator
    folder: JobFolder
    url: str
    fetched: list[str] = field(default_factory=list[str])


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncGenerator[Studio]:
    fetched: list[str] = []

    async def serve(request: web.Request) -> web.FileResponse:
        fetched.append(request.path)
        return web.FileResponse(tmp_path / request.match_info["name"])

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        origin = str(server.make_url("/").origin())
        fetcher = AttachmentFetcher(session, hosts=frozenset({origin}), max_bytes=1024 * 1024)
        workspace = Workspace(tmp_path)
        narrator = Narrator(Ffmpeg(clips.binary(), slots=1), fetcher, workspace, max_seconds=10)
        yield Studio(
            narrator=narrator, folder=workspace.folder(JOB_ID), url=origin, fetched=fetched
        )


async def test_an_attachment_becomes_the_sound_of_the_clip(studio: Studio, tmp_path: Path) -> None:
    clips.make_tone(tmp_path / "voice.ogg", seconds=1)
    await studio.narrator.ingest(JOB_ID, f"{studio.url}/voice.ogg")
    clips.make_clip(studio.folder.clip, seconds=2, sound=False)
    result = await studio.narrator.merge(JOB_ID)
    assert result == studio.folder.result
    assert read_mp4(result).seconds == pytest.approx(2, abs=0.1)
    assert "Audio: aac" in clips.ffmpeg("-i", str(result), check=False)


async def test_what_was_ingested_before_a_crash_is_not_fetched_again(
    studio: Studio, tmp_path: Path
) -> None:
    clips.make_tone(tmp_path / "voice.ogg", seconds=1)
    for _ in range(2):
        await studio.narrator.ingest(JOB_ID, f"{studio.url}/voice.ogg")
    assert studio.fetched == ["/voice.ogg"]


async def test_what_is_no_sound_leaves_no_narration(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "voice.mp3").write_text("<html></html>")
    with pytest.raises(UserError) as caught:
        await studio.narrator.ingest(JOB_ID, f"{studio.url}/voice.mp3")
    assert caught.value.key == "audio.not_audio"
    assert await read_narration(studio.folder.narration) is None


async def test_a_narration_that_was_deleted_is_told_before_anything_is_merged(
    studio: Studio, tmp_path: Path
) -> None:
    clips.make_tone(tmp_path / "voice.ogg", seconds=1)
    await studio.narrator.ingest(JOB_ID, f"{studio.url}/voice.ogg")
    clips.make_clip(studio.folder.clip, seconds=1)
    studio.folder.narration.unlink()
    with pytest.raises(MediaError, match="gone"):
        await studio.narrator.merge(JOB_ID)
    assert not studio.folder.result.exists()
